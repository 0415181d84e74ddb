"""verbs/predict/selection.py: what of an index a task reads, and what of it stays unread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import polars as pl

from wetread.archive.index.index import Index
from wetread.archive.rejects import Reject
from wetread.archive.types import JsonObject
from wetread.inputs.archive import select_modalities
from wetread.prediction.reading import Reading, unread_reading
from wetread.store.store import Store
from wetread.study.header_content import is_localizer
from wetread.study.issue import Issue
from wetread.study.issues import geometry_issues, noted_issues
from wetread.study.series import series_slices
from wetread.study.series_choice import SeriesPreference, SeriesScore, rank_series
from wetread.tasks import Task

LOCALIZER = "localizer"


@dataclass(frozen=True, eq=False)
class Selection:
    """The images of an index that a task reads, and those that it does not; rows of the index.

    archive:    the index, everything in it.
    images:     of the task's modalities, or of none that is named.
    slices:     those of them that are packed.
    localizers: the others of them, by ImageType (0008,0008).
    refused:    rejects of the index that are of a study of these modalities or of none that is
                named, and of which no other file was taken (REJECT_SCHEMA).
    series:     the images series by series, each in order of position.
    ranked:     studies of several series: these, best first; none where all of them judge it.
    """

    archive: Index
    images: pl.DataFrame
    slices: pl.DataFrame
    localizers: pl.DataFrame
    refused: pl.DataFrame
    series: Sequence[pl.DataFrame]
    ranked: Mapping[str, Sequence[SeriesScore]]

    @property
    def others(self) -> int:
        """How many images of the index are of other modalities."""
        return self.archive.images.height - self.images.height


def select_images(archive: Index, task: Task) -> Selection:
    """Part an index into what the task reads and what it does not. ValueError or LabelError where
    images that are read as whole series have no study or series of their own."""
    images = select_modalities(archive, task.modalities).images
    task.spec.check_images(images)
    slices, localizers = split_localizers(images)
    series = series_slices(images)
    return Selection(
        archive=archive,
        images=images,
        slices=slices,
        localizers=localizers,
        refused=_refused_images(archive, task.modalities),
        series=series,
        ranked=_ranked(series, task.preference),
    )


def split_localizers(images: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part rows of an index into slices and localizers, by ImageType (0008,0008), in order."""
    kinds = images["ImageType"].unique().to_list()
    named = [kind for kind in kinds if is_localizer({"ImageType": kind})]
    localizer = pl.col("ImageType").is_in(named).fill_null(False)
    return images.filter(~localizer), images.filter(localizer)


def index_rejects(selection: Selection) -> list[Reject]:
    """List the files that the index could not use and that are of no study that is read."""
    left = selection.archive.rejects.join(
        selection.refused, on=["path", "member"], how="anti", nulls_equal=True
    )
    return [
        Reject(row["path"], row["member"], row["reason"], row["detail"])
        for row in left.iter_rows(named=True)
    ]


def unread_files(selection: Selection, store: Store) -> dict[str, list[Reject]]:
    """Map each study to its files of which nothing was read: what store and index could not take,
    and localizers."""
    study = selection.images.select("path", "member", "StudyInstanceUID")
    lost = store.rejects.join(study, on=["path", "member"], how="left", nulls_equal=True)
    localizers = selection.localizers.with_columns(
        reason=pl.lit(LOCALIZER),
        detail=pl.lit("ImageType names a localizer: an overview that slices are planned on"),
    )
    found: dict[str, list[Reject]] = {}
    frames = (lost, selection.refused, localizers)
    for row in chain.from_iterable(rows.iter_rows(named=True) for rows in frames):
        reject = Reject(row["path"], row["member"], row["reason"], row["detail"])
        found.setdefault(row["StudyInstanceUID"], []).append(reject)
    return found


def unread_images(selection: Selection, store: Store) -> list[str]:
    """List the SOPInstanceUIDs of the images of which nothing was read."""
    frames = (store.rejects, selection.refused, selection.localizers)
    return [uid for frame in frames for uid in frame["SOPInstanceUID"]]


def study_issues(series: Sequence[pl.DataFrame], store: Store) -> dict[str, list[Issue]]:
    """Map each study to its issues: of its headers, then of its pixels as packed. series: rows of
    the index, series by series."""
    issues: dict[str, list[Issue]] = {}
    for rows in series:
        issues.setdefault(rows["StudyInstanceUID"][0], []).extend(geometry_issues(rows))
    noted = store.slices.group_by("StudyInstanceUID", maintain_order=True).agg("notes")
    for study, notes in noted.iter_rows():
        known = {issue.name for issue in issues.get(study, [])}
        shown = [issue for issue in noted_issues(notes) if issue.name not in known]
        issues.setdefault(study, []).extend(shown)
    return issues


def other_modality_readings(
    selection: Selection,
    modalities: Sequence[str],
    findings: Sequence[str],
    provenance: JsonObject,
) -> list[Reading]:
    """Make an unread reading of every study of which no image is selected, in order of their UIDs.

    modalities: those that are read. findings: of studies, by name.
    """
    known = selection.images["StudyInstanceUID"].unique().implode()
    others = selection.archive.images.filter(~pl.col("StudyInstanceUID").fill_null("").is_in(known))
    files = selection.images.select("path", "member")
    left = others.join(files, on=["path", "member"], how="anti", nulls_equal=True)
    studies = left.sort("StudyInstanceUID").group_by("StudyInstanceUID", maintain_order=True)
    readings = []
    for (study,), own in studies:
        counts = own["Modality"].value_counts().sort("Modality")
        named = ", ".join(f"{number} {name}" for name, number in counts.iter_rows())
        detail = f"images of Modality {named}; {' or '.join(modalities)} is read"
        uid = str(study) if study else ""
        readings.append(unread_reading(uid, "other_modality", detail, findings, provenance))
    return readings


def _refused_images(archive: Index, modalities: Sequence[str]) -> pl.DataFrame:
    named = pl.col("Modality").is_null() | pl.col("Modality").is_in(list(modalities))
    taken = archive.instances["SOPInstanceUID"].drop_nulls().unique().implode()
    ids = pl.col("SOPInstanceUID", "StudyInstanceUID")
    return archive.rejects.filter(
        named, ids.is_not_null(), ~pl.col("SOPInstanceUID").is_in(taken)
    ).unique("SOPInstanceUID", keep="first", maintain_order=True)


def _ranked(
    series: Sequence[pl.DataFrame], wanted: SeriesPreference | None
) -> dict[str, list[SeriesScore]]:
    if wanted is None:
        return {}
    by_study: dict[str, list[pl.DataFrame]] = {}
    for rows in series:
        if rows["StudyInstanceUID"][0] is not None and rows["SeriesInstanceUID"][0] is not None:
            by_study.setdefault(rows["StudyInstanceUID"][0], []).append(rows)
    return {study: rank_series(own, wanted) for study, own in by_study.items() if len(own) > 1}
