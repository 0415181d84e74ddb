"""verbs/explore/labels.py: label files as they are explored: of which task, by which ids."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from wetread.inputs.archive import of_modalities
from wetread.inputs.label_file import read_label_file
from wetread.inputs.label_ids import place_labels
from wetread.inputs.truth_masks import is_mask_file, read_truth_masks
from wetread.labels.csv_file import split_spec
from wetread.labels.finding import Finding
from wetread.labels.reads_csv import Reads, read_reads, reader_findings
from wetread.labels.repair import repairs
from wetread.labels.table import LabelError, LabelTable, merge_labels
from wetread.survey.label_counts import broken_rules
from wetread.survey.objects import draw_rows
from wetread.tasks import TASKS, Task, build_task, find_task
from wetread.verbs.explore.opened import OpenedArchive
from wetread.verbs.explore.request import ExploreRequest
from wetread.verbs.task.draft import draft_task
from wetread.verbs.task.draft_text import draft_text
from wetread.verbs.task.profile import read_profile

DRAFTED = 100_000  # images by which a task is drafted of a label file, at most
NO_COLUMN = "no column"  # in the error of a form whose columns a file has not
LEVELS = {"image": "SOPInstanceUID", "series": "SeriesInstanceUID", "study": "StudyInstanceUID"}


@dataclass(frozen=True, eq=False)
class OpenedLabels:
    """Labels that are explored.

    task:     that reads them. drafted: whether it was drafted of the file itself.
    given:    ids as the files have them. placed: by the images and studies of the archive.
    repaired: ids as they are written, to those that they meet; never of patients.
    images:   rows of the archive of the task's modalities; None: there is no archive.
    reads:    calls of several readers, by file.
    """

    task: Task
    drafted: bool
    given: LabelTable
    placed: LabelTable
    repaired: Mapping[str, str]
    images: pl.DataFrame | None
    reads: tuple[Reads, ...]

    @cached_property
    def broken(self) -> pl.DataFrame:
        """The labels that break a rule of the task (broken_rules)."""
        return broken_rules(self.placed, self.task.label_rules, self.task.headline)

    @cached_property
    def unmatched(self) -> pl.DataFrame:
        """The ids with labels that name nothing in the archive: level, id; none without one."""
        ids = self.placed.frame.select("level", "id").unique(maintain_order=True)
        if self.images is None:
            return ids.clear()
        there = pl.concat(
            self.images.select(pl.lit(level).alias("level"), pl.col(column).alias("id"))
            for level, column in LEVELS.items()
        ).unique()
        return ids.join(there.drop_nulls(), on=["level", "id"], how="anti", maintain_order="left")

    @cached_property
    def unlabeled(self) -> pl.DataFrame:
        """The images that have no known label of their own, their series or their study; rows."""
        assert self.images is not None
        known = self.placed.frame.filter(pl.col("value").is_not_null())
        without = self.images
        for level, column in LEVELS.items():
            ids = known.filter(pl.col("level") == level)["id"].unique()
            without = without.filter(~pl.col(column).is_in(ids.implode()).fill_null(False))
        return without


def open_labels(request: ExploreRequest, archive: OpenedArchive | None) -> OpenedLabels:
    """Read the label files of a request, by its task, or where it has none by the first of the
    package that reads the first of them, or else by one that is drafted of it. Files of readers
    give labels only where there are no others: the majority of the first. NIfTI masks are labels
    of the images of the series whose grid they have.

    Raises LabelError where a file cannot be read, ValueError where nothing says of which task.
    """
    masks = [file for file in request.labels if is_mask_file(file)]
    files = [file for file in request.labels if file not in masks]
    reads = {file: read_reads(split_spec(file)[0], found, {})
             for file in files if (found := _readers_of(split_spec(file)[0]))}  # fmt: skip
    labels = [file for file in files if file not in reads] or ([] if masks else files[:1])
    task, drafted = _task_of((labels or files)[:1], request, archive)
    tables = [read_label_file(file, task, request.columns) for file in labels]
    if masks:
        tables += read_truth_masks(masks, task, None if archive is None else archive.index.images)
    given = merge_labels(tables)
    known_reads = tuple(reads.values())
    if archive is None:
        return OpenedLabels(task, drafted, given, given, {}, None, known_reads)
    images = archive.images.filter(of_modalities(task.modalities))
    placed, _ = place_labels(given, task, images, request.patients)
    repaired = repaired_ids(given, images)
    return OpenedLabels(task, drafted, given, placed, repaired, images, known_reads)


def repaired_ids(given: LabelTable, images: pl.DataFrame) -> dict[str, str]:
    """Find the ids of images, series and studies that meet only without a blank, a path or an
    ending, and what they are then."""
    found: dict[str, str] = {}
    for level, column in LEVELS.items():
        written = given.frame.filter(pl.col("level") == level)["id"].unique(maintain_order=True)
        found |= repairs(written, frozenset(images[column].drop_nulls()))
    return found


def _task_of(
    files: Sequence[Path], request: ExploreRequest, archive: OpenedArchive | None
) -> tuple[Task, bool]:
    """Find the task that reads the one file, if any; and whether it was drafted of it. LabelError
    where none does: of a task whose columns the file has, what is wrong with it."""
    if request.task is not None:
        return find_task(request.task), False
    if not files:
        raise ValueError("a mask does not say of which task it is; give `task`")
    (file,) = files
    wrong: LabelError | None = None
    for known in TASKS.values():
        try:
            table = read_label_file(file, known, None)
        except LabelError as error:
            wrong = wrong if NO_COLUMN in str(error) else wrong or error
            continue
        if table.frame.height:
            return known, False
    path, _ = split_spec(file)
    sample = None if archive is None else draw_rows(archive.table, DRAFTED, request.seed)
    try:
        text = draft_text(draft_task(read_profile(path), sample), path.stem)
        return build_task(text, str(path), path.stem), True
    except LabelError as error:
        raise wrong or error from None


def _readers_of(path: Path) -> tuple[Finding, ...]:
    """List the findings that a file has columns of several readers of; none of other files."""
    is_table = path.is_file() and path.suffix.lower() in (".csv", ".tsv", ".gz")
    return reader_findings(path) if is_table else ()


def existing_ids(images: pl.DataFrame) -> Collection[str]:
    """Return every id that a label file could name: of images, series and studies."""
    return {one for column in LEVELS.values() for one in images[column].drop_nulls()}
