"""verbs/train/labeled_archive.py: an archive indexed, packed and joined to labels and patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wetread.archive.executor.workers import Workers
from wetread.archive.files.atomic import write_csv
from wetread.archive.index.index import Index
from wetread.archive.rejects import RejectError
from wetread.evaluation.header_baseline import HeaderFeatures, header_features
from wetread.inputs.archive import open_archive, select_modalities
from wetread.inputs.label_ids import place_labels
from wetread.inputs.patients import assign_patients
from wetread.inputs.progress import Report
from wetread.inputs.truth_masks import read_truth_masks
from wetread.labels.mask_check import check_masks
from wetread.labels.resolve import spread_over_images
from wetread.labels.table import LabelError, LabelTable, match, merge_labels
from wetread.store.store import Store
from wetread.study.patients import Identity
from wetread.study.series import series_slices
from wetread.tasks import Task
from wetread.verbs.pack import pack_crops_of
from wetread.verbs.train.request import TrainRequest


@dataclass(frozen=True, eq=False)
class LabeledArchive:
    """Archive, stores and labels that a run learns from.

    images:   the rows of the index that are of the task's modalities.
    stores:   the same slices in each crop of the task, with their patients.
    header:   of these slices, what the baseline of headers is shown.
    labels:   repaired, and without masks that cannot be.
    identity: who is taken for one patient.
    counts:   of files, images and labels, as on screen and page.
    """

    images: pl.DataFrame
    stores: tuple[Store, ...]
    header: HeaderFeatures
    labels: LabelTable
    identity: Identity
    counts: dict[str, int]


def open_labeled_archive(
    request: TrainRequest,
    *,
    repair: bool,
    as_hu: bool,
    verify: bool,
    workers: Workers | None,
    report: Report,
) -> LabeledArchive:
    """Index and pack the sources into the run's folder, and join them to the request's labels.

    Writes refused_masks.csv and conflicting_labels.csv. Raises ValueError or LabelError where
    studies cannot be told apart or a study is of several patients, RejectError where no image that
    has a label can be read.
    """
    task, out = request.task, request.out
    archive = open_archive(
        request.sources,
        out,
        workers=workers,
        report=report,
        repair=repair,
        as_hu=as_hu,
        key=request.key,
    )
    images = select_modalities(archive, task.modalities).images
    task.spec.check_images(images)
    # Before any pixel is packed: a mask of another series is refused at once.
    masks = read_truth_masks(request.mask_files, task, archive.images)
    stores = pack_crops_of(
        series_slices(images),
        out,
        task,
        size=request.recipe.size,
        workers=workers,
        report=report,
        verify=verify,
    )
    refuse_unreadable(stores[0].slices, stores[0].rejects, images, request.labels)
    stores, identity = assign_patients(stores, archive, request.patients, request.key, out)
    labels, of_labels = join_labels(
        merge_labels([request.labels, *masks]),
        task,
        archive,
        request.patients,
        _shapes(stores[0]),
        out,
    )
    slices, rejects = stores[0].slices, stores[0].rejects
    counts = count(archive, images, slices, rejects, labels, of_studies=task.spec.study_labels) | {
        "refused_masks": of_labels.refused_masks,
        "ids_repaired": of_labels.ids_repaired + identity.ids_repaired,
    }
    return LabeledArchive(images, stores, headers_of(slices, images), labels, identity, counts)


def headers_of(slices: pl.DataFrame, images: pl.DataFrame) -> HeaderFeatures:
    """Find the headers of slices, rows of a store's table, among all images of their archive, rows
    of an index."""
    found = header_features(images).table.with_columns(images["SOPInstanceUID"])
    once = found.unique("SOPInstanceUID", keep="first")
    ids = slices.select("SOPInstanceUID")
    rows = ids.join(once, on="SOPInstanceUID", how="left", maintain_order="left")
    return HeaderFeatures(rows.drop("SOPInstanceUID"))


@dataclass(frozen=True)
class LabelCounts:
    """How many masks of label files cannot be, and how many of their ids were repaired."""

    refused_masks: int
    ids_repaired: int


def join_labels(
    labels: LabelTable,
    task: Task,
    archive: Index,
    patients: str | Path | None,
    shapes: Mapping[str, tuple[int, int]],
    out: Path,
) -> tuple[LabelTable, LabelCounts]:
    """Return labels by the ids of an archive's images and studies, without masks that cannot be of
    images of these shapes, (rows, columns); write refused_masks.csv and conflicting_labels.csv.

    patients: a file of patients, "study" or None. LabelError where every mask is refused.
    """
    labels, repaired = place_labels(labels, task, archive.instances, patients)
    labels, refused = check_masks(labels, shapes)
    write_csv(out / "refused_masks.csv", refused)
    if refused.height and labels.masks.is_empty():
        image, finding, reason, detail = refused.row(0)
        raise LabelError(
            f"all {refused.height} masks are refused, the first that of {finding} in {image}: "
            f"{reason}: {detail}. Is their form another, or are they of other images?"
        )
    conflicts = labels.conflicts.with_columns(
        pl.col("values").cast(pl.List(pl.String)).list.join(" ")
    )
    write_csv(out / "conflicting_labels.csv", conflicts)
    return labels, LabelCounts(refused.height, repaired)


def _shapes(store: Store) -> dict[str, tuple[int, int]]:
    """Rows and columns of the pictures as they came, by image."""
    columns = store.slices.select("SOPInstanceUID", "source_rows", "source_columns")
    return {uid: (rows, columns) for uid, rows, columns in columns.iter_rows()}


def refuse_unreadable(
    slices: pl.DataFrame, lost: pl.DataFrame, images: pl.DataFrame, labels: LabelTable
) -> None:
    """RejectError where no image, or none that has a label, can be read: the files are at fault.

    slices, lost: the images that were read, and those that could not be (store.py); images: all.
    """
    if match(labels, slices["SOPInstanceUID"].to_list()).labeled or not images.height:
        return
    labeled = match(labels, lost["SOPInstanceUID"].drop_nulls().unique().to_list()).labeled
    if not lost.height or (slices.height and not labeled):
        return
    reason, detail, path = lost.select("reason", "detail", "path").row(0)
    what = f"the {labeled} images that have a label" if labeled else f"the {lost.height} images"
    raise RejectError(
        reason, f"{what} cannot be read, the first: {path}: {detail}. Are the files still there?"
    )


def count(
    archive: Index,
    images: pl.DataFrame,
    slices: pl.DataFrame,
    lost: pl.DataFrame,
    labels: LabelTable,
    *,
    of_studies: bool = False,
) -> dict[str, int]:
    """Count files, images and labels, and how images and labels meet.

    images: rows of the archive of the task's modalities; slices, lost: those that were read and
    those that could not be (store.py). of_studies: a study's label is one of its images, too;
    labelled_by_study counts those that have no other.
    """
    ids = slices["SOPInstanceUID"].to_list()
    matched = by_image = match(labels, ids)
    if of_studies:
        labels = spread_over_images(labels, slices)
        matched = match(labels, ids)
    with_lost = match(labels, [*ids, *lost["SOPInstanceUID"].drop_nulls().unique()])
    return {
        **{key: value for key, value in archive.counts().items() if isinstance(value, int)},
        "packed_images": slices.height,
        "undecodable_images": lost.height,
        "images_of_other_modalities": archive.images.height - images.height,
        "refused_files": archive.refused + lost.height,
        "labelled_images": matched.labeled,
        "labelled_by_study": matched.labeled - by_image.labeled,
        "images_without_label": matched.images_without_label,
        "labels_of_undecodable_images": with_lost.labeled - matched.labeled,
        "labels_without_image": with_lost.labels_without_image,
        "duplicate_labels": labels.duplicates,
        "conflicting_labels": labels.conflicts.height,
    }
