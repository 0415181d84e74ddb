"""evaluation: truth and probabilities come in, scores with intervals and baselines go out.

In: truth (N, F) in 0..1, NaN unknown; probabilities (N, F); the patient of every row.
Out: `Score` values, each with its 95 % interval over patients, beside its trivial baselines.
Unknown truth is left out of every sum; a value that cannot be is null with its reason.
"""
