"""verbs/explore/explore.py: an archive, its labels or both in, one page of what is there out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from wetread.archive.executor.workers import Workers, select_workers
from wetread.archive.files.atomic import write_csv
from wetread.archive.files.foreign_text import escape_formulas
from wetread.archive.files.paths import as_paths
from wetread.archive.plural import plural
from wetread.archive.types import JsonObject, StrPath, StrPaths
from wetread.inputs.patients import asks_for_study
from wetread.inputs.progress import Report, silent
from wetread.labels.patients_csv import read_patients
from wetread.pages.page import PageFact
from wetread.pages.survey_page import PageTable, PageWarning, SurveyContent, write_survey_page
from wetread.survey.objects import draw_rows
from wetread.survey.warning import WARNINGS, SurveyWarning
from wetread.verbs.explore.archive_part import archive_facts, archive_part, series_part
from wetread.verbs.explore.copy_part import copy_part
from wetread.verbs.explore.gallery import gallery_part
from wetread.verbs.explore.label_part import label_part
from wetread.verbs.explore.labels import OpenedLabels, open_labels
from wetread.verbs.explore.opened import OpenedArchive, open_archives
from wetread.verbs.explore.part import Part
from wetread.verbs.explore.reader_part import read_clinical, reader_part, table_part
from wetread.verbs.explore.shortcut_part import doubt_part, shortcut_part
from wetread.verbs.explore.split_part import patients_part, read_split, sources_part
from wetread.verbs.explore.value_part import value_part

DRAFTED = 100_000  # images by which a task is drafted of a label file, at most
PIXELS = 5000  # images whose pixels are compared at most
LEAKS = (  # with `strict` a failure
    "patient_in_two_parts", "patient_in_two_sources", "study_in_two_sources",
    "image_in_two_sources", "same_pixels_in_two_sources",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Exploration:
    """What was found in an archive and its labels.

    counts:   images, series, studies, patients, bytes, and labels where there are some.
    warnings: the faults and traps, the gravest first.
    tables:   every table of the page, by name, with all its rows.
    page:     where the page was written; None: nowhere.
    leaks:    how many of the warnings say that something is on both sides.
    refused:  files that cannot be used; those that are no DICOM are not among them.
    """

    counts: Mapping[str, int | None]
    warnings: tuple[SurveyWarning, ...]
    tables: Mapping[str, pl.DataFrame]
    page: Path | None
    leaks: int
    refused: int

    def to_dict(self) -> JsonObject:
        """Return plain values, for JSON."""
        return {
            "counts": dict(self.counts),
            "warnings": [warning.to_dict() for warning in self.warnings],
            "tables": {name: frame.to_dicts() for name, frame in self.tables.items()},
        }


def explore(
    sources: StrPaths = (),
    *,
    out: StrPath | None = None,
    labels: StrPaths = (),
    task: StrPath | None = None,
    columns: Mapping[str, str] | None = None,
    patients: StrPath | None = None,
    folds: StrPath | None = None,
    against: StrPaths = (),
    clinical: StrPath | None = None,
    key: str | None = None,
    run: StrPath | None = None,
    pixels: int = PIXELS,
    csv: StrPath | None = None,
    seed: int = 0,
    workers: int | None = None,
    report: Report = silent,
) -> Exploration:
    """Explore an archive, its labels, or both: what is there, and what is wrong with it.

    sources: folders, zips and files, or one index; none where labels alone are explored.
    out: the page, .html. csv: a folder for every table of it.
    labels: label files in every form that `train` takes, and tables of readers (columns
        READER:FINDING). task: that reads them; None: the first of the package that does, or else
        one that is drafted of the file. columns: as for `train`.
    patients: a CSV of image (or study) and patient, of both archives where there are two, "study",
        or None for the headers.
    folds: the split to be checked: folds.json of a run, or a table of ids and parts.
    against: a second archive, as what is held out: nothing of it should be in the first.
    clinical: a table of ages, measurements and the like, whose column `key` has ids.
    run: whose predictions of patients that it did not learn are held against their labels.
    pixels: images whose pixels are compared, drawn by seed where there are more; 0: none.

    Raises ValueError for arguments that need each other, FileNotFoundError for a source that does
    not exist, LabelError for a file that cannot be read.
    """
    files = as_paths(sources)
    labeled = as_paths(labels)
    _check(files, labeled, out, folds, as_paths(against), clinical, key, run, pixels)
    if patients is not None and not asks_for_study(str(patients)):
        read_patients(str(patients))  # before any image is read
    given = None if patients is None else str(patients)
    split = {} if folds is None else read_split(Path(folds))
    doubts = None if run is None else doubt_part(Path(run))
    rows = None if clinical is None else read_clinical(Path(clinical), str(key))
    number = select_workers(workers, None)
    with _opened(files, given, number, report) as archive, \
            _opened(as_paths(against), given, number, report) as other:  # fmt: skip
        images = None if archive is None or not labeled else archive.images()
        sample = partial(_sample, archive, seed)
        found = open_labels(labeled, task, columns, images, given, sample) if labeled else None
        parts: list[Part] = []
        if archive is not None:
            parts += [archive_part(archive), series_part(archive, seed)]
            parts.append(value_part(archive, seed, number, report))
        if found is not None:
            parts.append(label_part(found, seed))
            parts += [reader_part(reads, seed, n) for n, reads in enumerate(found.reads)]
        if archive is not None:
            parts.append(patients_part(archive, None if folds is None else Path(folds), split))
        if archive is not None:
            parts.append(copy_part(archive, other, pixels, seed, number, report))
        if archive is not None and found is not None:
            parts.append(shortcut_part(archive, found, seed))
        if doubts is not None:
            parts.append(doubts)
        if archive is not None and other is not None:
            parts.append(sources_part(archive, other))
        if rows is not None:
            parts.append(table_part(rows, archive))
        if archive is not None and out is not None:
            parts.append(gallery_part(archive, found, seed, report))
        return _written(parts, archive, found, out, csv)


@contextmanager
def _opened(
    sources: Sequence[Path], patients: str | None, workers: Workers, report: Report
) -> Iterator[OpenedArchive | None]:
    """Open an archive; None where no source is given."""
    if not sources:
        yield None
        return
    with open_archives(sources, patients, workers, report) as archive:
        yield archive


def _check(
    sources: Sequence[Path],
    labels: Sequence[Path],
    out: StrPath | None,
    folds: StrPath | None,
    against: Sequence[Path],
    clinical: StrPath | None,
    key: str | None,
    run: StrPath | None,
    pixels: int,
) -> None:
    """Raise ValueError for arguments that need each other."""
    if not sources and not labels and clinical is None and run is None:
        raise ValueError("nothing to explore: give an archive, `labels`, a table or a `run`")
    if pixels < 0:
        raise ValueError(f"`pixels` is {pixels}; give a number of images, 0 for none")
    if out is not None and Path(out).suffix.lower() != ".html":
        raise ValueError(f"{out}: the page is a file that ends in .html")
    for name, value in (("folds", folds), ("against", against or None)):
        if value is not None and not sources:
            raise ValueError(f"`{name}` is held against an archive; give its files or its index")
    if (clinical is None) != (key is None):
        raise ValueError("a clinical table needs its column of ids: give `clinical` and `key`")


def _written(
    parts: list[Part],
    archive: OpenedArchive | None,
    labels: OpenedLabels | None,
    out: StrPath | None,
    csv: StrPath | None,
) -> Exploration:
    """Put the parts together, and write the page and the tables where they are asked for."""
    order = list(WARNINGS)
    warnings = sorted((one for part in parts for one in part.warnings),
                      key=lambda one: order.index(one.name))  # fmt: skip
    tables = {one.name: one for part in parts for one in part.tables}
    counts = _counts(archive, labels)
    if csv is not None:
        _write_tables(Path(csv), tables)
    page = None if out is None else Path(out)
    if page is not None:
        write_survey_page(page, _content(parts, warnings, archive, labels))
    return Exploration(
        counts=counts,
        warnings=tuple(warnings),
        tables={name: one.frame for name, one in tables.items()},
        page=page,
        leaks=sum(one.name in LEAKS for one in warnings),
        refused=0 if archive is None else refused_files(archive),
    )


def _sample(archive: OpenedArchive | None, seed: int) -> pl.DataFrame | None:
    """Read whole rows of an archive, by which a task is drafted of a label file."""
    return None if archive is None else draw_rows(archive.table, DRAFTED, seed)


def refused_files(archive: OpenedArchive) -> int:
    """Count the files of an archive that cannot be used; what is no DICOM is no fault of it."""
    return archive.index.rejects.filter(pl.col("reason") != "not_dicom").height


def _counts(archive: OpenedArchive | None, labels: OpenedLabels | None) -> dict[str, int | None]:
    counts: dict[str, int | None] = {}
    if archive is not None:
        counts |= archive.counts.row(0, named=True)
        counts |= {"files": archive.index.counts()["files"],
                   "rejects": archive.index.rejects.height}  # fmt: skip
        counts["patients"] = archive.patients
    if labels is not None:
        frame = labels.placed.frame
        counts |= {
            "labels": frame["value"].count(),
            "labeled_ids": frame.filter(pl.col("value").is_not_null())["id"].n_unique(),
        }
    return counts


def _write_tables(folder: Path, tables: Mapping[str, PageTable]) -> None:
    """Write every table that has rows as NAME.csv; lists are joined by blanks."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        lists = [key for key, kind in table.frame.schema.items() if isinstance(kind, pl.List)]
        joined = table.frame.with_columns(
            pl.col(key).cast(pl.List(pl.String)).list.join(" ") for key in lists
        )
        write_csv(folder / f"{name}.csv", escape_formulas(joined))


def _content(
    parts: list[Part],
    warnings: list[SurveyWarning],
    archive: OpenedArchive | None,
    labels: OpenedLabels | None,
) -> SurveyContent:
    """Return the content of the page."""
    names = {one.name for one in warnings}
    looked = dict.fromkeys(name for part in parts for name in part.looked_for if name not in names)
    what = [
        *([] if archive is None else [plural(archive.counts["images"][0], "image")]),
        *([] if labels is None else [plural(labels.placed.frame["value"].count(), "label")]),
    ]
    facts = [*([] if archive is None else archive_facts(archive))]
    if labels is not None:
        facts.append(PageFact("labels", f"{labels.placed.frame['value'].count():,}"))
    facts.append(PageFact("warnings", str(len(warnings))))
    return SurveyContent(
        title="What is here" if labels is None else f"What is here: {labels.task.title}",
        summary=f"{' and '.join(what) or 'A table'}: what they hold, and what is wrong with them.",
        facts=tuple(facts),
        warnings=tuple(
            PageWarning(one.kind.title, one.detail, one.kind.cost, one.kind.advice, one.examples)
            for one in warnings
        ),
        sections=tuple(part.section for part in parts),
        looked_for=tuple(_lower_first(WARNINGS[name].title) for name in looked),
        not_looked={what: why for part in parts for what, why in part.not_looked.items()},
    )


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
