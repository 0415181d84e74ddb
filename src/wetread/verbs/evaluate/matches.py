"""verbs/evaluate/matches.py: how predictions and labels met: counts, and the ids that did not."""

from __future__ import annotations

import polars as pl

from wetread.inputs.predictions import Predictions
from wetread.labels.table import LabelTable

SCHEMA: dict[str, pl.DataType] = {"level": pl.String(), "id": pl.String(), "problem": pl.String()}
NO_PREDICTION, NO_LABEL, CONFLICT = (
    "label without prediction", "prediction without label", "label in conflict with itself",
)  # fmt: skip


def existing_ids(predictions: Predictions) -> dict[str, set[str]]:
    """Return the ids of images and studies that predictions and archive have, by level."""
    frame = predictions.table.frame
    found = {
        level: set(frame.filter(pl.col("level") == level)["id"]) for level in ("image", "study")
    }
    found["image"] |= set(predictions.table.masks["id"])
    if predictions.index is not None:
        images = predictions.index.images
        found["image"] |= set(images["SOPInstanceUID"].drop_nulls())
        found["study"] |= set(images["StudyInstanceUID"].drop_nulls())
    return found


def unmatched_ids(predictions: Predictions, truth: LabelTable) -> pl.DataFrame:
    """List the ids of labels without prediction, of images predicted without a known label, and of
    labels in conflict, SCHEMA; each id once a problem.

    Levels of which the label file says nothing at all are left out.
    """
    predicted = predictions.table.frame.select("level", "id").unique(maintain_order=True)
    masks = predictions.table.masks.select(pl.lit("image").alias("level"), "id")
    predicted = pl.concat([predicted, masks]).unique(maintain_order=True)
    known = truth.frame.filter(pl.col("value").is_not_null())
    labeled = known.select("level", "id").unique(maintain_order=True)
    key = ["level", "id"]
    of_levels = predicted.filter(pl.col("level").is_in(labeled["level"].unique().implode()))
    parts = {
        NO_PREDICTION: labeled.join(predicted, on=key, how="anti", maintain_order="left"),
        NO_LABEL: of_levels.join(labeled, on=key, how="anti", maintain_order="left"),
        CONFLICT: truth.conflicts.select(key).unique(maintain_order=True),
    }
    return pl.concat(
        [rows.with_columns(problem=pl.lit(problem)) for problem, rows in parts.items()]
    ).cast(SCHEMA)  # type: ignore[arg-type]


def count_matches(
    predictions: Predictions, truth: LabelTable, unmatched: pl.DataFrame
) -> dict[str, int]:
    """Count predictions and labels, and what of them did not meet.

    unmatched: of unmatched_ids.
    """
    frame = predictions.table.frame
    problems = unmatched["problem"].value_counts()
    counted = dict(problems.iter_rows())
    images = {*frame.filter(pl.col("level") == "image")["id"], *predictions.table.masks["id"]}
    return {
        "predicted_images": len(images),
        "predicted_studies": frame.filter(pl.col("level") == "study")["id"].n_unique(),
        "unread_studies": len(predictions.unread),
        "studies_that_calibrated": len(predictions.left_out),
        "labels_without_prediction": counted.get(NO_PREDICTION, 0),
        "predictions_without_label": counted.get(NO_LABEL, 0),
        "labels_in_conflict": counted.get(CONFLICT, 0),
        "duplicate_labels": truth.duplicates,
    }
