"""archive/executor: work over items, on this machine or a cluster; no item can end the run."""
