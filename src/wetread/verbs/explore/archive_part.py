"""verbs/explore/archive_part.py: the archive itself: what it holds, its series, what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from wetread.archive.files.foreign_text import format_bytes
from wetread.archive.index.index import Index
from wetread.archive.plural import plural
from wetread.pages.page import PageFact
from wetread.pages.survey_page import PageTable
from wetread.study.issue import RULES
from wetread.survey.charts import bar_chart, spread_chart
from wetread.survey.objects import (
    collected,
    count_headers,
    count_notes,
    count_rejects,
    describe_numbers,
    images_of,
    missing_headers,
    pixel_forms,
    transfer_syntaxes,
)
from wetread.survey.patients import studies_of_two_patients
from wetread.survey.series import (
    MOST_IMAGES,
    describe_series,
    describe_studies,
    geometry_counts,
    impossible_spacing,
    series_table,
)
from wetread.survey.units import count_units
from wetread.survey.warning import SurveyWarning, first_examples
from wetread.verbs.explore.opened import OpenedArchive
from wetread.verbs.explore.part import Part

UNITS_NOTE = (
    "CT that is not in HU, by its issue, is refused by all that windows, segments, learns or reads "
    "it, unless it is told to take it as HU."
)


def archive_facts(opened: OpenedArchive) -> tuple[PageFact, ...]:
    """Return the numbers of the page's head: how much of everything there is."""
    numbers = opened.counts.row(0, named=True)
    units = ("images", "series", "studies")
    patients = "–" if opened.patients is None else f"{opened.patients:,}"
    return (
        *(PageFact(unit, f"{numbers[unit]:,}") for unit in units),
        PageFact("patients", patients),
        PageFact("bytes", format_bytes(numbers["bytes"] or 0)),
    )


def archive_part(opened: OpenedArchive) -> Part:
    """Survey headers: what there is, in which forms, and what was refused."""
    table = opened.table
    counts = count_headers(table)
    syntaxes = transfer_syntaxes(table)
    rejects = count_rejects(opened.index.rejects)
    ages = collected(images_of(table).select("age_years"))["age_years"]
    charts = [
        partial(bar_chart, found, "value", "images", name)
        for name, found in counts.items()
        if found.height > 1
    ]
    if ages.count():
        charts.append(partial(spread_chart, ages, "years, of images", "Age"))
    return Part(
        title="The archive",
        note=accounted(opened.index),
        charts=tuple(charts),
        tables=(
            PageTable("headers", "Values of headers", header_table(counts)),
            PageTable("transfer_syntaxes", "Transfer syntaxes", syntaxes),
            PageTable("units", "What the values mean", count_units(table), UNITS_NOTE),
            PageTable("pixel_forms", "Forms in which pixels are stored", pixel_forms(table)),
            PageTable("numbers", "Numbers of the headers", describe_numbers(table)),
            PageTable("missing_headers", "What headers do not say", missing_headers(table)),
            PageTable("notes", "Odd, and read all the same", count_notes(table)),
            PageTable(
                "rejects", "Refused, by reason", rejects,
                "An example of each, for wetread show.",
            ),
        ),
        warnings=tuple(patient_warnings(opened)),
        looked_for=("patient_unknown", "study_of_two_patients") if opened.given is None else (),
    )  # fmt: skip


def header_table(counts: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Put the counts of several headers into one table, with the header's name first."""
    return pl.concat(
        found.select(pl.lit(name).alias("header"), pl.all()) for name, found in counts.items()
    )


def accounted(index: Index) -> str:
    """Say how the files add up."""
    counts = index.counts()
    parts = ("instances", "not_image", "duplicates", "rejects")
    words = ("image", "other object", "duplicate", "reject")
    named = " + ".join(plural(counts[part], word) for part, word in zip(parts, words, strict=True))  # type: ignore[literal-required]
    return f"{plural(counts['files'], 'file')} = {named}."


def patient_warnings(opened: OpenedArchive) -> list[SurveyWarning]:
    """Warn of headers that do not tell patients apart, and of studies of several."""
    if opened.given is not None:
        return []
    found = []
    if opened.unknown_patients is not None:
        detail = f"{opened.unknown_patients}: a split by it may not keep persons apart"
        found.append(SurveyWarning("patient_unknown", detail, opened.counts["images"][0]))
    torn = studies_of_two_patients(opened.table)
    if torn.height:
        detail = f"{plural(torn.height, 'study')} with several PatientIDs"
        examples = first_examples(torn["study"])
        found.append(SurveyWarning("study_of_two_patients", detail, torn.height, examples))
    return found


def series_part(opened: OpenedArchive, seed: int) -> Part:
    """Survey series: slices, spacing, coverage, and every issue of geometry."""
    series = series_table(opened.table)
    volumes = series.filter(pl.col("slices") > 1)
    geometry = geometry_counts(opened.table, seed).with_columns(
        rule=pl.col("issue").replace_strict(RULES, default="", return_dtype=pl.String)
    )
    drawn = opened.counts["images"][0] > MOST_IMAGES
    charts = [
        partial(spread_chart, volumes[name], unit, title)
        for name, unit, title in (
            ("slices", "images", "Images a series"),
            ("distance_mm", "mm", "Distance of slices"),
            ("coverage_mm", "mm", "Coverage of series"),
        )
        if volumes[name].count()
    ]
    wrong = impossible_spacing(series)
    warnings = []
    if wrong.height:
        uid = pl.coalesce("SeriesInstanceUID", "SOPInstanceUID")
        rows = images_of(opened.table).filter(uid.hash().is_in(wrong["series"].implode()))
        examples = collected(rows.select(uid.alias("uid")).unique().head(50))["uid"].sort()
        detail = f"{plural(wrong.height, 'series')} whose slices or pixels lie impossibly"
        warnings.append(
            SurveyWarning("impossible_spacing", detail, wrong.height, first_examples(examples))
        )
    return Part(
        title="Series and studies",
        note=f"Issues of geometry are those of series with {MOST_IMAGES:,} images in all, drawn by "
        f"seed {seed}." if drawn else "",
        charts=tuple(charts),
        tables=(
            PageTable("series_numbers", "Series in numbers", describe_series(series)),
            PageTable("study_numbers", "Studies in numbers", describe_studies(series)),
            PageTable("geometry", "Issues of geometry, in series", geometry),
        ),
        warnings=tuple(warnings),
        looked_for=("impossible_spacing",),
    )  # fmt: skip
