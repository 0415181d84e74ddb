"""verbs/task/check.py: what a task would learn of label files and an archive, by count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wetread.archive.executor.workers import select_workers
from wetread.archive.files.paths import as_paths
from wetread.archive.types import StrPath, StrPaths
from wetread.inputs.archive import of_modalities
from wetread.inputs.label_file import read_label_file
from wetread.inputs.label_ids import place_labels
from wetread.inputs.patients import asks_for_study
from wetread.inputs.progress import Report, silent
from wetread.inputs.sources import open_source
from wetread.labels.patients_csv import read_patients
from wetread.labels.resolve import ambiguous_files
from wetread.labels.table import merge_labels
from wetread.tasks import find_task


@dataclass(frozen=True)
class FindingCount:
    """Labels of one finding at one level: those of value 0.5 and more, those below, and the ids
    that have none."""

    name: str
    level: str
    positive: int
    negative: int
    unknown: int


@dataclass(frozen=True)
class TaskCheck:
    """Counts of the labels that a task would learn.

    counts:   by finding and level; of an archive's images or studies where one was given, else of
              the label files' ids.
    ids:      distinct ids of the label files. named: of them those that name something in the
              archive; None without one. repaired: of these by a repair.
    ambiguous: of the others those of files of whose name there are several.
    missed:   the first ids that name nothing; none where ids are of patients: these are not shown.
    conflicts, duplicates: labels with unequal values, unknown; equal ones, one.
    absent:   findings that no label file has. broken: ids with not exactly one finding of a group,
              where all of it are known; masks: images whose mask is known and not empty.
    """

    task: str
    recipe: str
    counts: tuple[FindingCount, ...]
    ids: int
    named: int | None
    repaired: int
    missed: tuple[str, ...]
    conflicts: int
    duplicates: int
    images: int | None
    studies: int | None
    absent: tuple[str, ...] = ()
    broken: int = 0
    masks: int = 0
    ambiguous: int = 0

    @property
    def learnable(self) -> bool:
        """Whether of any finding two positive and two negative labels are known."""
        return any(min(one.positive, one.negative) >= 2 for one in self.counts)

    @property
    def refused(self) -> int:
        """Findings of which nothing can be learned: less than two of either kind are known."""
        return sum(min(one.positive, one.negative) < 2 for one in self.counts)

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return {
            **{key: value for key, value in vars(self).items() if key != "counts"},
            "missed": list(self.missed),
            "absent": list(self.absent),
            "findings": [vars(one) for one in self.counts],
        }


def check_task(
    task: StrPath,
    labels: StrPaths,
    *,
    data: StrPath | None = None,
    patients: StrPath | None = None,
    workers: int | None = None,
    report: Report = silent,
) -> TaskCheck:
    """Count what a task would learn, before anything is learned.

    task: a name of TASKS, or a TOML file. labels: label files, one or several. data: the index of
    the images (.parquet), or the images; without it the label files are counted alone. patients: a
    CSV of image (or study) and patient, as for `train`.

    Raises what `train` would raise of the task and of its label files.
    """
    chosen, who = find_task(task), None if patients is None else str(patients)
    if who is not None and data is None:
        raise ValueError("`patients` says which image is of whom; give the images with `data`")
    if who is not None and not asks_for_study(who):
        read_patients(who)  # before the archive is read
    table = merge_labels([read_label_file(path, chosen, None) for path in as_paths(labels)])
    ids, images, named, repaired = set(table.frame["id"]), None, None, 0
    missed: tuple[str, ...] = ()
    ambiguous = 0
    of_files = set(table.frame.filter(pl.col("level") == "file")["id"])
    of_patients = (table.frame["level"] == "patient").any()
    if data is not None:
        found = open_source(Path(data), select_workers(workers, None), report)
        images = found.images.filter(of_modalities(chosen.modalities))
        table, repaired = place_labels(table, chosen, images, who)
        there = {*images["SOPInstanceUID"], *images["StudyInstanceUID"]}
        strange = table.frame.filter(~pl.col("id").is_in(list(there)))
        lost = strange["id"].unique(maintain_order=True)
        ambiguous = len(ambiguous_files((one for one in lost if one in of_files), images))
        named, missed = len(ids) - lost.len(), () if of_patients else tuple(lost.head(3))
    names = {one.name: None for level in ("image", "study") for one in chosen.at(level)}
    levels = ("image", "study") if images is not None else table.frame["level"].unique().sort()
    return TaskCheck(
        task=chosen.name,
        recipe=chosen.recipe,
        counts=tuple(
            one for level in levels for one in count_level(table.frame, level, tuple(names), images)
        ),
        ids=len(ids),
        named=named,
        repaired=repaired,
        missed=missed,
        conflicts=table.conflicts.height,
        duplicates=table.duplicates,
        images=None if images is None else images.height,
        studies=None if images is None else images["StudyInstanceUID"].n_unique(),
        absent=tuple(name for name in names if name not in set(table.frame["finding"])),
        broken=count_broken(table.frame, chosen.metric.groups),
        masks=table.masks["id"].n_unique(),
        ambiguous=ambiguous,
    )


def count_broken(labels: pl.DataFrame, groups: Sequence[Sequence[str]]) -> int:
    """Count the ids of which not exactly one finding of a group is present, where all of it are
    known as present or absent. labels: LABEL_SCHEMA, no key twice."""
    broken: set[tuple[str, str]] = set()
    for group in groups:
        sums = (
            labels.filter(pl.col("finding").is_in(list(group)), pl.col("value").is_in([0.0, 1.0]))
            .group_by("level", "id")
            .agg(known=pl.len(), present=pl.col("value").sum())
            .filter(pl.col("known") == len(group), pl.col("present") != 1)
        )
        broken |= set(sums.select("level", "id").iter_rows())
    return len(broken)


def count_level(
    labels: pl.DataFrame, level: str, findings: Sequence[str], images: pl.DataFrame | None
) -> list[FindingCount]:
    """Count the labels of one level, of an archive's images or studies where these are given; none
    where the files have none of it. labels: LABEL_SCHEMA, no key twice."""
    rows = labels.filter(pl.col("level") == level)
    ids = rows["id"].n_unique()
    if images is not None:
        there = images["SOPInstanceUID" if level == "image" else "StudyInstanceUID"].unique()
        rows = rows.filter(pl.col("id").is_in(there.drop_nulls().to_list()))
        ids = there.drop_nulls().len()
    if rows.is_empty():
        return []
    value = pl.col("value")
    counts = rows.group_by("finding").agg(
        positive=(value >= 0.5).sum(), negative=(value < 0.5).sum()
    )
    of = {name: (positive, negative) for name, positive, negative in counts.iter_rows()}
    found = [(name, *of.get(name, (0, 0))) for name in findings]
    return [FindingCount(name, level, p, n, ids - p - n) for name, p, n in found]
