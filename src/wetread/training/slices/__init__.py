"""training/slices: networks of slices: batches, the loop, what is kept."""
