"""verbs/explore/labels.py: label files as they are explored: of which task, by which ids."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wetread.archive.types import StrPath
from wetread.inputs.archive import of_modalities
from wetread.inputs.label_file import read_label_file
from wetread.inputs.label_ids import place_labels
from wetread.labels.csv_file import split_spec
from wetread.labels.reads_csv import Reads, read_reads, reader_findings
from wetread.labels.repair import repairs
from wetread.labels.table import LabelError, LabelTable, merge_labels
from wetread.tasks import TASKS, Task, build_task, find_task
from wetread.verbs.task.draft import draft_task
from wetread.verbs.task.draft_text import draft_text
from wetread.verbs.task.profile import read_profile

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

    @property
    def unmatched(self) -> pl.DataFrame:
        """The labels of ids that name nothing in the archive: level, id; none without one, and
        none of patients, whose ids are shown nowhere."""
        ids = self.placed.frame.select("level", "id").unique(maintain_order=True)
        if self.images is None:
            return ids.clear()
        there = pl.concat(
            self.images.select(pl.lit(level).alias("level"), pl.col(column).alias("id"))
            for level, column in LEVELS.items()
        ).unique()
        return ids.join(there.drop_nulls(), on=["level", "id"], how="anti", maintain_order="left")

    @property
    def unlabeled(self) -> pl.DataFrame:
        """The images that have no known label of their own, their series or their study; rows."""
        assert self.images is not None
        known = self.placed.frame.filter(pl.col("value").is_not_null())
        without = self.images
        for level, column in LEVELS.items():
            ids = known.filter(pl.col("level") == level)["id"].unique()
            without = without.filter(~pl.col(column).is_in(ids.implode()).fill_null(False))
        return without


def open_labels(
    files: Sequence[Path],
    task: StrPath | None,
    columns: Mapping[str, str] | None,
    images: pl.DataFrame | None,
    patients: str | None,
    sample: Callable[[], pl.DataFrame | None] = lambda: None,
) -> OpenedLabels:
    """Read label files, by a task, or where none is given by the first of the package that reads
    the first of them, or else by one that is drafted of it. Files of readers give labels only where
    there are no others: the majority of the first.

    images: rows of an index. patients: as for `train`. sample: whole rows of it, for a draft.
    Raises LabelError where a file cannot be read.
    """
    readers = [file for file in files if _is_reads(file)]
    of_labels = [file for file in files if file not in readers] or readers[:1]
    chosen, drafted = _task_of(of_labels[0], task, sample)
    given = merge_labels([read_label_file(file, chosen, columns) for file in of_labels])
    rows = None if images is None else images.filter(of_modalities(chosen.modalities))
    placed, repaired = given, dict[str, str]()
    if rows is not None:
        placed, _ = place_labels(given, chosen, rows, patients)
        repaired = repaired_ids(given, rows)
    return OpenedLabels(
        chosen, drafted, given, placed, repaired, rows, tuple(_reads(file) for file in files
        if _is_reads(file)),
    )  # fmt: skip


def repaired_ids(given: LabelTable, images: pl.DataFrame) -> dict[str, str]:
    """Find the ids of images, series and studies that meet only without a blank, a path or an
    ending, and what they are then."""
    found: dict[str, str] = {}
    for level, column in LEVELS.items():
        written = given.frame.filter(pl.col("level") == level)["id"].unique(maintain_order=True)
        found |= repairs(written, frozenset(images[column].drop_nulls()))
    return found


def _task_of(
    file: Path, task: StrPath | None, sample: Callable[[], pl.DataFrame | None]
) -> tuple[Task, bool]:
    """Find the task that reads a file; and whether it was drafted of it. LabelError where none
    does: of a task whose columns the file has, what is wrong with it."""
    if task is not None:
        return find_task(task), False
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
    try:
        text = draft_text(draft_task(read_profile(path), sample()), path.stem)
        return build_task(text, str(path), path.stem), True
    except LabelError as error:
        raise wrong or error from None


def _is_reads(file: Path) -> bool:
    path, _ = split_spec(file)
    return (
        path.is_file()
        and path.suffix.lower() in (".csv", ".tsv", ".gz")
        and bool(reader_findings(path))
    )


def _reads(file: Path) -> Reads:
    path, _ = split_spec(file)
    return read_reads(path, reader_findings(path), {})


def existing_ids(images: pl.DataFrame) -> Collection[str]:
    """Return every id that a label file could name: of images, series and studies."""
    return {one for column in LEVELS.values() for one in images[column].drop_nulls()}
