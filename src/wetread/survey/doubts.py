"""survey/doubts.py: labels that a run's predictions speak against, by confident learning.

In: the predictions of a run about patients it did not learn (training/predictions.py: SCHEMA). Out:
the rows that are doubtful, the most doubtful first.
"""

from __future__ import annotations

import polars as pl


def doubtful_labels(predictions: pl.DataFrame) -> pl.DataFrame:
    """Find labels whose contrary is predicted more surely than it usually is where it is true.

    A label of 0 is doubtful where the probability is at least the mean of those of label 1, a
    label of 1 where it is at most the mean of those of label 0 (Northcutt and others, Confident
    learning, 2021). Returns level, id, study, finding, truth, probability, sure (how far beyond).
    """
    known = predictions.filter(pl.col("truth").is_not_null())
    positive = pl.col("truth") >= 0.5
    group = ["level", "finding"]
    means = known.group_by(group).agg(
        of_positive=pl.col("probability").filter(positive).mean(),
        of_negative=pl.col("probability").filter(~positive).mean(),
    )
    sure = (
        pl.when(positive)
        .then(pl.col("of_negative") - pl.col("probability"))
        .otherwise(pl.col("probability") - pl.col("of_positive"))
    )
    ordered = pl.col("of_positive") > pl.col("of_negative")  # else the run knows nothing of it
    return (
        known.join(means, on=group, how="left", maintain_order="left")
        .with_columns(sure=sure)
        .filter(ordered & (pl.col("sure") >= 0))
        .sort("sure", descending=True, maintain_order=True)
        .select("level", "id", "study", "finding", "truth", "probability", "sure")
    )
