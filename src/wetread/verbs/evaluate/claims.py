"""verbs/evaluate/claims.py: what a run says of itself, and which of the scored images it knew."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from wetread.archive.files.json_file import read_json
from wetread.evaluation.evaluation import RunClaims
from wetread.evaluation.score import Scores
from wetread.inputs.predictions import Predictions
from wetread.store.store import open_store
from wetread.verbs.evaluate.levels import Levels

SCORES = "scores.json"
_EXPECTED = "the scores of a run, which wetread train and evaluate write"


def read_claims(run: Path, predictions: Predictions, levels: Levels) -> RunClaims:
    """Read a run's own scores, and count the scored images, studies and patients that it was made
    with, for learning, for choosing or for scoring.

    Scored are images with a label of their own, those of a scored study or series, and those with a
    drawn mask. Patients are compared by PatientID where both have an index under the same key;
    pseudonyms of two keys never meet. Raises FileNotFoundError for a folder without scores.
    """
    scores = Scores.from_dict(read_json(run / SCORES, _EXPECTED, {"scores": list}))
    slices = open_store(run / "store").slices
    studies = {name for part in levels.found if part.level == "study" for name in part.ids}
    of_studies = {study for part in levels.found for study in part.studies}
    images = {
        *(name for part in levels.found if part.level == "image" for name in part.ids),
        *levels.places.filter(pl.col("study").is_in(list(of_studies)))["image"],
        *predictions.table.masks["id"],
    }
    return RunClaims(
        scores,
        _count_known(images, slices["SOPInstanceUID"]),
        _count_known(studies, slices["StudyInstanceUID"]),
        _known_patients(predictions, images, slices),
    )


def _count_known(scored: set[str], of_run: pl.Series) -> int | None:
    return len(scored & set(of_run)) if scored else None


def _known_patients(predictions: Predictions, images: set[str], slices: pl.DataFrame) -> int | None:
    if predictions.index is None:
        return None
    rows = predictions.index.images.filter(pl.col("SOPInstanceUID").is_in(list(images)))
    return len(set(rows["PatientID"].drop_nulls()) & set(slices["patient"].drop_nulls()))
