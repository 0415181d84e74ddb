"""verbs/evaluate/masks.py: drawn masks of images against the true ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from wetread.evaluation.mask_submission import score_mask_submission
from wetread.evaluation.score import Score
from wetread.inputs.predictions import Predictions
from wetread.labels.finding import Finding
from wetread.labels.table import LabelTable
from wetread.verbs.evaluate.levels import SEED, SPLIT
from wetread.verbs.evaluate.owners import Owners, patients_at


def score_drawn_masks(
    predictions: Predictions, truth: LabelTable, owners: Owners
) -> list[Score] | str:
    """Score the masks of each finding that was drawn, over images whose true mask is known; the
    reason, where there is none."""
    drawn = predictions.table.masks
    if drawn.is_empty():
        return "no mask of an image was drawn"
    scores: list[Score] = []
    for finding in drawn["finding"].unique(maintain_order=True):
        true, given = _of_images(truth, drawn, finding)
        if true.frame.is_empty():
            continue
        images = true.frame["id"].to_list()
        patients = dict(zip(images, patients_at(owners, "image", images), strict=True))
        found = score_mask_submission(
            true,
            given,
            (Finding(finding),),
            SPLIT,
            np.random.default_rng(SEED),
            patients,
            _shapes(predictions),
        )
        scores += found.scores
    return scores or "no true mask of an image with a drawn one is known"


def _of_images(
    truth: LabelTable, drawn: pl.DataFrame, finding: str
) -> tuple[LabelTable, LabelTable]:
    """Return the known masks of one finding among the images with a drawn one, and the drawn."""
    masks = drawn.filter(pl.col("finding") == finding)
    known = truth.masks.filter(pl.col("finding") == finding)
    of_finding = (pl.col("level") == "image") & (pl.col("finding") == finding)
    is_known = pl.col("id").is_in(known["id"].implode()) | (pl.col("value") == 0.0)
    frame = truth.frame.filter(of_finding & is_known & pl.col("id").is_in(masks["id"].implode()))
    kept = known.filter(pl.col("id").is_in(frame["id"].implode()))
    given = replace(truth, frame=truth.frame.clear(), masks=masks)
    return replace(truth, frame=frame, masks=kept), given


def _shapes(predictions: Predictions) -> dict[str, tuple[int, int]]:
    """Return rows and columns by image, as the archive's headers say."""
    if predictions.index is None:
        return {}
    images = predictions.index.images.select("SOPInstanceUID", "Rows", "Columns").drop_nulls()
    return {uid: (rows, columns) for uid, rows, columns in images.iter_rows()}
