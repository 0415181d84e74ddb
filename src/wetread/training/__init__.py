"""training: a Store and labels in, a Run out.

In: slices by row (SliceSource), truth (N, F) with NaN for unknown, patients, a Recipe, a score
function that is handed in. Out: a Run folder: resolved recipe, fold plan with its proof, metrics
as JSON lines, checkpoints that go on where they were stopped, predictions and scores.
"""
