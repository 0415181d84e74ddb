"""verbs/runs: runs are found, listed, compared, drawn, told apart and mirrored to other tools."""
