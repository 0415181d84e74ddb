"""verbs/calibrate/labeled_answers.py: what was read of an archive put beside what is true of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.archive.plural import plural
from wetread.archive.types import Float64Array
from wetread.evaluation.aggregate import study_truth
from wetread.inputs.label_ids import place_labels
from wetread.labels.finding import finding_names
from wetread.labels.repair import ids_by_level
from wetread.labels.table import LabelTable
from wetread.store.store import Store
from wetread.tasks import Task
from wetread.training.calibration import LabeledProbabilities
from wetread.verbs.predict.read_archive import ReadArchive


@dataclass(frozen=True, eq=False)
class LabeledAnswers:
    """Answers beside labels: of slices, then of studies.

    studies: StudyInstanceUIDs that have a label, or a slice that has one.
    """

    levels: tuple[LabeledProbabilities, LabeledProbabilities]
    studies: tuple[str, ...]


def repair_ids(
    labels: LabelTable, task: Task, slices: pl.DataFrame, patients: str | None = None
) -> tuple[LabelTable, int]:
    """Return labels by the ids of slices and their studies, and how many ids were repaired.

    Raises ValueError where none of the slices and studies has a label. slices: rows of an index;
    patients: as for place_labels.
    """
    names = ids_by_level(slices)
    labels, repaired = place_labels(labels, task, slices, patients)
    known = labels.frame.filter(pl.col("value").is_not_null())
    if all(
        ids.isdisjoint(known.filter(pl.col("level") == level)["id"]) for level, ids in names.items()
    ):
        raise _strange_labels(slices.height)
    return labels, repaired


def labeled_answers(read: ReadArchive, store: Store, labels: LabelTable) -> LabeledAnswers:
    """Put answers, as they were before rules, beside the labels of slices and of studies.

    store: of the same slices, with their patients. labels: by the ids of these. A study without a
    label of its own has that of its slices, where it has their findings. ValueError where nothing
    is labeled.
    """
    slices, task = store.slices, read.task
    ids = slices["SOPInstanceUID"].to_list()
    image, study = read.answers.free or (read.answers.image, read.answers.study)
    truth = labels.matrix_float64(ids, task.at("image"))
    studies = list(study)
    study_labels = _study_labels(truth, slices, studies, labels, task)
    labeled, known = ~np.isnan(truth).all(axis=1), ~np.isnan(study_labels).all(axis=1)
    if not (labeled.any() or known.any()):
        raise _strange_labels(len(ids))
    of_slices = slices["StudyInstanceUID"].filter(pl.Series(labeled, dtype=pl.Boolean))
    used = {studies[row] for row in np.flatnonzero(known)}
    patient_of = dict(zip(slices["StudyInstanceUID"], slices["patient"], strict=True))
    levels = (
        LabeledProbabilities(
            "image", finding_names(task.at("image")), truth, image, tuple(slices["patient"])
        ),
        LabeledProbabilities(
            "study",
            finding_names(task.at("study")),
            study_labels,
            np.stack([study[name] for name in studies]),
            tuple(patient_of[name] for name in studies),
        ),
    )
    return LabeledAnswers(levels, tuple(sorted(used.union(of_slices.drop_nulls()))))


def _strange_labels(images: int) -> ValueError:
    """Say that no label is of any image."""
    return ValueError(
        f"`labels`: none of them is of the {plural(images, 'image')} of `source`; their "
        "ids are not the images' SOPInstanceUIDs. Compare both: wetread index, and the label "
        "file's first lines"
    )


def _study_labels(
    truth: Float64Array,
    slices: pl.DataFrame,
    studies: Sequence[str],
    labels: LabelTable,
    task: Task,
) -> Float64Array:
    """Find the truth of studies (S, F): their own labels, else what their slices' (N, F) give."""
    own = labels.matrix_float64(studies, task.at("study"))
    if finding_names(task.at("study")) != finding_names(task.at("image")):
        return own
    names, derived = study_truth(truth, slices["StudyInstanceUID"].to_list())
    place = {name: number for number, name in enumerate(names)}
    found: Float64Array = np.where(np.isnan(own), derived[[place[name] for name in studies]], own)
    return found
