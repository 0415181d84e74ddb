"""verbs/evaluate/levels.py: predictions and truth, joined by image, series and study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.archive.plural import plural
from wetread.archive.types import Float64Array
from wetread.evaluation.aggregate import study_maximum, study_truth
from wetread.evaluation.baselines import prior_baseline
from wetread.inputs.predictions import Predictions, findings_at
from wetread.labels.finding import Finding
from wetread.labels.table import EXAM_SCHEMA, LabelTable
from wetread.training.predictions import LevelPredictions
from wetread.verbs.evaluate.owners import Owners, patients_at

SPLIT = "given_data"  # of data that somebody gives to be scored on
SEED = 0  # of every bootstrap over them
LEVELS = ("image", "series", "study")


@dataclass(frozen=True, eq=False)
class Levels:
    """Levels that can be scored, and the reasons why others cannot.

    found:   rows of known truth, level by level.
    absent:  level to the reason why it has no score.
    places:  EXAM_SCHEMA, which image is of which series and study.
    """

    found: tuple[LevelPredictions, ...]
    absent: Mapping[str, str]
    places: pl.DataFrame

    def at(self, level: str) -> LevelPredictions | None:
        """Return the rows of a level; None where it is absent."""
        return next((part for part in self.found if part.level == level), None)


def join_levels(predictions: Predictions, truth: LabelTable, owners: Owners) -> Levels:
    """Join probabilities and truth at each level.

    A series has the highest probability of its images. A study has its own probability, and its own
    label where the file has one, else that of its images: positive where an image is, negative only
    where every image that was read is known to be.
    """
    places = places_of(predictions, truth)
    parts: list[LevelPredictions] = []
    absent: dict[str, str] = {}
    for level, join in (("image", _images), ("series", _series), ("study", _studies)):
        found = join(predictions, truth, places, owners)
        if isinstance(found, str):
            absent[level] = found
        else:
            parts.append(found)
    return Levels(tuple(parts), absent, places)


def places_of(predictions: Predictions, truth: LabelTable) -> pl.DataFrame:
    """Return which image is of which series and study, EXAM_SCHEMA: by the archive's index, or else
    as a label file or the predictions say; no row where nothing says so."""
    if predictions.index is not None:
        columns = {
            "image": "SOPInstanceUID", "series": "SeriesInstanceUID", "study": "StudyInstanceUID",
        }  # fmt: skip
        rows = predictions.index.images.select(**{k: pl.col(v) for k, v in columns.items()})
        return rows.filter(pl.col("image").is_not_null()).unique("image", maintain_order=True)
    for table in (truth, predictions.table):
        if table.exams.height:
            return table.exams.select(list(EXAM_SCHEMA))
    return pl.DataFrame(schema=EXAM_SCHEMA)


def _images(
    predictions: Predictions, truth: LabelTable, places: pl.DataFrame, owners: Owners
) -> LevelPredictions | str:
    if predictions.masks_alone:
        return "the file has masks and no probability"
    findings = findings_at(predictions.task, "image")
    ids = _ids(predictions.table, "image")
    if not ids:
        return "no probability of an image is given"
    study = dict(places.select("image", "study").iter_rows())
    return _rows(
        "image",
        findings,
        ids,
        [study.get(image) or image for image in ids],
        owners=owners,
        truth=truth.matrix_float64(ids, findings),
        probability=predictions.table.matrix_float64(ids, findings),
    )


def _series(
    predictions: Predictions, truth: LabelTable, places: pl.DataFrame, owners: Owners
) -> LevelPredictions | str:
    images = _images(predictions, truth, places, owners)
    if isinstance(images, str):
        return images
    if places.is_empty():
        return "which image is of which series is not known; give the archive with `data`"
    if not places.group_by("study").agg(pl.col("series").n_unique())["series"].max() > 1:  # type: ignore[operator]
        return "each study has one series: it is scored as the study"
    findings = findings_at(predictions.task, "series")
    ids = _ids(predictions.table, "image")
    of_image = {image: (series, study) for image, series, study in places.iter_rows()}
    known = [image for image in ids if image in of_image]
    series = [of_image[image][0] for image in known]
    names, probability = study_maximum(
        predictions.table.matrix_float64(known, images.findings), series
    )
    _, true = study_truth(truth.matrix_float64(known, images.findings), series)
    study = {of_image[image][0]: of_image[image][1] for image in known}
    studies = [study[name] for name in names]
    return _rows(
        "series", findings, names, studies, owners=owners, truth=true, probability=probability
    )


def _studies(
    predictions: Predictions, truth: LabelTable, places: pl.DataFrame, owners: Owners
) -> LevelPredictions | str:
    findings = findings_at(predictions.task, "study")
    ids = _ids(predictions.table, "study")
    if not ids:
        return "no probability of a study is given"
    probability = predictions.table.matrix_float64(ids, findings)
    true = truth.matrix_float64(ids, findings)
    names = {finding.name for finding in findings_at(predictions.task, "image")}
    derived = [column for column, finding in enumerate(findings) if finding.name in names]
    if np.isnan(true).all() and derived and places.is_empty():
        return "which image is of which study is not known; give the archive with `data`"
    if np.isnan(true).all() and _repeats_images(predictions, places, ids, probability):
        return "each study has one image: it is scored as the image"
    if np.isnan(true[:, derived]).any() and places.height:
        of_images = _derived_truth(predictions, truth, places, ids)[:, derived]
        true[:, derived] = np.where(np.isnan(true[:, derived]), of_images, true[:, derived])
    return _rows("study", findings, ids, ids, owners=owners, truth=true, probability=probability)


def _repeats_images(
    predictions: Predictions, places: pl.DataFrame, studies: Sequence[str], given: Float64Array
) -> bool:
    """Whether each study has one image that was read, with its very probabilities (S, F)."""
    findings = findings_at(predictions.task, "image")
    read = places.filter(pl.col("image").is_in(_ids(predictions.table, "image")))
    image = dict(read.select("study", "image").iter_rows())
    if read.height != len(image) or set(studies) != set(image):
        return False
    images = [image[study] for study in studies]
    return np.array_equal(predictions.table.matrix_float64(images, findings), given, equal_nan=True)


def _derived_truth(
    predictions: Predictions, truth: LabelTable, places: pl.DataFrame, studies: Sequence[str]
) -> Float64Array:
    """Derive the truth (S, F) of studies from that of their images which were read or labelled."""
    findings = findings_at(predictions.task, "image")
    listed = truth.frame.filter((pl.col("level") == "image") & pl.col("value").is_not_null())
    counted = {*_ids(predictions.table, "image"), *listed["id"]}
    rows = places.filter(pl.col("image").is_in(list(counted)))
    names, values = study_truth(
        truth.matrix_float64(rows["image"].to_list(), findings), rows["study"].to_list()
    )
    place = {name: row for row, name in enumerate(names)}
    unknown = np.full(len(findings), np.nan)
    found = [values[place[study]] if study in place else unknown for study in studies]
    return np.array(found).reshape(len(studies), len(findings))


def _rows(
    level: str,
    findings: Sequence[Finding],
    ids: Sequence[str],
    studies: Sequence[str],
    *,
    owners: Owners,
    truth: Float64Array,
    probability: Float64Array,
) -> LevelPredictions | str:
    """Keep the rows of which a label is known and answered; the reason, where there is none."""
    truth = np.where(np.isnan(probability), np.nan, truth)
    kept = np.flatnonzero(~np.isnan(truth).all(axis=1)).tolist()
    if not kept:
        units = {"image": "image", "series": "series", "study": "study"}[level]
        return f"no label of the {plural(len(ids), units)} is known"
    true = truth[kept]
    names = [ids[row] for row in kept]
    return LevelPredictions(
        level=level,
        split=SPLIT,
        findings=tuple(findings),
        ids=tuple(names),
        studies=tuple(studies[row] for row in kept),
        patients=tuple(patients_at(owners, level, names)),
        rows=None,
        truth=true,
        probability=probability[kept],
        baselines={"prior": prior_baseline(true, len(true))},
    )


def _ids(table: LabelTable, level: str) -> list[str]:
    return table.frame.filter(pl.col("level") == level)["id"].unique(maintain_order=True).to_list()
