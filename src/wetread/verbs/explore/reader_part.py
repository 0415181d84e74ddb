"""verbs/explore/reader_part.py: readers beside each other; a clinical table beside an archive."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from wetread.archive.plural import plural
from wetread.labels.csv_file import find_column
from wetread.labels.reads_csv import Reads
from wetread.labels.table import LabelError
from wetread.labels.text_table import read_text_table
from wetread.pages.survey_page import PageTable
from wetread.survey.charts import bar_chart, spread_chart
from wetread.survey.readers import FAIR, count_reads, disagreements, doubtful_readers, kappa_table
from wetread.survey.tables import (
    change_over_time,
    count_groups,
    describe_columns,
    numbers,
    numbers_by_group,
    time_column,
)
from wetread.survey.warning import SurveyWarning, first_examples
from wetread.verbs.explore.opened import OpenedArchive
from wetread.verbs.explore.part import Part

MOST_DRAWN = 12  # columns of a clinical table that get a chart


def reader_part(reads: Reads, seed: int, number: int = 0) -> Part:
    """Survey several readers of the same studies: calls, majority, kappa, disagreement. number: of
    the file among those of readers, in the names of the tables of all but the first."""
    end, title = (f"_{number + 1}", f"The readers {number + 1}") if number else ("", "The readers")
    counts, kappas = count_reads(reads), kappa_table(reads, seed)
    doubtful = doubtful_readers(kappas)
    differing = [
        disagreements(reads, finding).select(pl.lit(finding).alias("finding"), pl.all())
        for finding in reads.calls
    ]
    warnings = []
    if doubtful.height:
        worst = doubtful.sort("kappa", nulls_last=True).row(0, named=True)
        detail = (
            f"agreement is fair at best (kappa below {FAIR} with its whole interval) "
            f"{plural(doubtful.height, 'time')}, least "
            f"between {worst['readers']} of {worst['finding']}: {worst['kappa']:.2f} "
            f"[{worst['low']:.2f}, {worst['high']:.2f}]"
        )
        examples = [f"{row['readers']}: {row['finding']}" for row in doubtful.iter_rows(named=True)]
        warnings.append(
            SurveyWarning("readers_disagree", detail, doubtful.height, first_examples(examples))
        )
    return Part(
        title=title,
        note=f"{len(reads.readers)} readers, {plural(len(reads.ids), 'study')}. Kappa is agreement "
        "beyond chance: 1 is perfect, 0 is chance; intervals are 95 %, over studies.",
        charts=(partial(bar_chart, counts, "finding", "majority", "Called by the majority"),),
        tables=(
            PageTable(f"reads{end}", "Calls by reader", counts),
            PageTable(f"kappa{end}", "Agreement of readers", kappas),
            PageTable(f"disagreements{end}", "Called differently", pl.concat(differing)),
        ),
        warnings=tuple(warnings),
        looked_for=("readers_disagree",),
    )


@dataclass(frozen=True, eq=False)
class ClinicalTable:
    """A table of texts; key: the column of ids."""

    file: Path
    frame: pl.DataFrame
    key: str


def read_clinical(file: Path, key: str) -> ClinicalTable:
    """Read a clinical table. LabelError where the key is no column of it."""
    frame = read_text_table(file).frame
    column = find_column(key, frame.columns)
    if column is None:
        raise LabelError(
            f"{file}: no column {key!r}; there are: {', '.join(map(repr, frame.columns))}"
        )
    return ClinicalTable(file, frame, column)


def table_part(table: ClinicalTable, opened: OpenedArchive | None) -> Part:
    """Survey a clinical table: what its columns hold, by group and over time, and how its ids meet
    the archive."""
    file, frame, column = table.file, table.frame, table.key
    described = describe_columns(frame, column)
    charts = [
        partial(spread_chart, numbers(frame[name]), name, f"{name} of the table")
        for name in described.filter(pl.col("kind") == "number")["column"].head(MOST_DRAWN)
    ]
    tables = [
        PageTable("table_columns", "Columns", described),
        PageTable("table_groups", "Groups", count_groups(frame, column)),
        PageTable("table_by_group", "Numbers by group", numbers_by_group(frame, column)),
    ]
    time = time_column(frame, column)
    if time is not None:
        change = change_over_time(frame, column, time)
        note = f"The slope of each id's line through its values over {time}, by least squares."
        tables.append(PageTable("table_over_time", f"Change a unit of {time}", change, note))
    ids = frame[column].drop_nulls().unique()
    return Part(
        title="The clinical table",
        note=f"{file.name}: {plural(frame.height, 'row')} of {plural(len(ids), 'id')}."
        + ("" if opened is None else f" {_meeting(ids, opened)}"),
        charts=tuple(charts),
        tables=tuple(tables),
    )


def _meeting(ids: pl.Series, opened: OpenedArchive) -> str:
    """Say how many ids name patients, studies, series or images of the archive."""
    images = opened.images
    met = {
        words: len(set(ids) & set(images[name].drop_nulls()))
        for words, name in (
            ("patients", "PatientID"), ("studies", "StudyInstanceUID"),
            ("series", "SeriesInstanceUID"), ("images", "SOPInstanceUID"),
        )
    }  # fmt: skip
    best = max(met, key=lambda words: met[words])
    return f"{met[best]} of them name {best} of the archive." if met[best] else "None is met here."
