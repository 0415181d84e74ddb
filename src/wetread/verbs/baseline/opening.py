"""verbs/baseline/opening.py: archives indexed, joined to labels and patients, and their pixels read
once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from wetread.archive.executor.workers import select_workers
from wetread.archive.identity.user_key import UserKey
from wetread.archive.index.index import Index
from wetread.inputs.archive import open_archive, select_modalities
from wetread.inputs.patients import assign_slice_patients
from wetread.inputs.progress import Report, stage
from wetread.inputs.truth_masks import read_truth_masks
from wetread.labels.table import merge_labels
from wetread.study.patients import Identity
from wetread.tasks import Task
from wetread.verbs.baseline.levels import LabeledBaselineSlices, select_labeled
from wetread.verbs.baseline.scores import plan_folds
from wetread.verbs.baseline.slices import BaselineSlices, list_slices, read_histograms
from wetread.verbs.train.labeled_archive import count, join_labels, refuse_unreadable
from wetread.verbs.train.request import GivenLabels


@dataclass(frozen=True, eq=False)
class Opening:
    """How archives are opened.

    out: the folder of the baselines. key: of pseudonyms; None keeps PatientIDs as they are.
    """

    task: Task
    out: Path
    key: UserKey | None
    workers: int | None
    report: Report
    repair: bool
    as_hu: bool

    def index(self, sources: Sequence[Path], folder: Path) -> Index:
        """Index sources into a folder, or read the index that stands in their place."""
        return open_archive(
            sources,
            folder,
            workers=self.workers,
            report=self.report,
            repair=self.repair,
            as_hu=self.as_hu,
            key=self.key,
        )

    def read(self, listed: BaselineSlices, name: str) -> BaselineSlices:
        """Read the histograms of slices; name: of the step, for its progress."""
        workers = select_workers(self.workers, None)
        return read_histograms(listed, self.task, workers, stage(self.report, name))


@dataclass(frozen=True, eq=False)
class LabelRequest:
    """Labels, a file of patients ("study" or None: there is none), and how patients are dealt."""

    given: GivenLabels
    patients: str | None
    folds: int
    seed: int


def open_labeled_slices(
    opening: Opening, archive: Index, request: LabelRequest
) -> tuple[LabeledBaselineSlices, Identity, dict[str, int]]:
    """Join an archive to labels and patients, and read the histograms of what is labeled; count
    files, images and labels. What does not fit is refused before any pixel is read.

    Raises ValueError or LabelError where no image has a label, where studies cannot be told apart
    or are of several patients, and for fewer patients than folds; RejectError where no image that
    has a label can be read.
    """
    task, out = opening.task, opening.out
    images = select_modalities(archive, task.modalities).images
    task.spec.check_images(images)
    masks = read_truth_masks(request.given.mask_files, task, archive.images)
    listed = list_slices(images)
    slices, identity = assign_slice_patients(
        listed.slices, archive, request.patients, opening.key, out
    )
    listed = replace(listed, slices=slices)
    labels, of_labels = join_labels(
        merge_labels([request.given.labels, *masks]),
        task,
        archive,
        request.patients,
        _shapes(images),
        out,
    )
    labeled = select_labeled(task.spec, listed, labels)
    plan_folds(task, labeled, request.folds, request.seed)
    read = opening.read(labeled.slices, "histograms")
    refuse_unreadable(read.slices, read.lost, images, labels)
    labeled = select_labeled(task.spec, read, labels)
    lost = listed.slices["SOPInstanceUID"].is_in(read.lost["SOPInstanceUID"].implode())
    kept = listed.slices.filter(~lost)
    counts = count(archive, images, kept, read.lost, labels, of_studies=task.spec.study_labels)
    counts |= {
        "refused_masks": of_labels.refused_masks,
        "ids_repaired": of_labels.ids_repaired + identity.ids_repaired,
    }
    return labeled, identity, counts


def _shapes(images: pl.DataFrame) -> dict[str, tuple[int, int]]:
    """Find rows and columns of pictures by image, where their headers say."""
    known = images.filter(pl.col("Rows") > 0, pl.col("Columns") > 0)
    columns = known.select("SOPInstanceUID", "Rows", "Columns")
    return {uid: (rows, count) for uid, rows, count in columns.iter_rows()}
