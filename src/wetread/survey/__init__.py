"""Index x LabelTable -> what there is, and what is wrong with it: frames, and charts of frames."""
