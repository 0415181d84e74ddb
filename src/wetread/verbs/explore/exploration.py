"""verbs/explore/exploration.py: the parts of a survey, put together: the result, its page, its
tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wetread.archive.files.atomic import write_csv
from wetread.archive.files.foreign_text import escape_formulas
from wetread.archive.plural import plural
from wetread.archive.types import JsonObject
from wetread.pages.page import PageFact
from wetread.pages.survey_page import PageTable, PageWarning, SurveyContent, write_survey_page
from wetread.survey.warning import WARNINGS, SurveyWarning
from wetread.verbs.explore.archive_part import archive_facts
from wetread.verbs.explore.labels import OpenedLabels
from wetread.verbs.explore.opened import OpenedArchive
from wetread.verbs.explore.part import Part

LEAKS = (  # with `strict` a failure
    "patient_in_two_parts", "patient_in_two_sources", "study_in_two_sources",
    "image_in_two_sources", "same_pixels_in_two_sources",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Exploration:
    """Findings in an archive and its labels.

    counts:   images, series, studies, patients, bytes, and labels where there are some.
    warnings: the faults and traps, the gravest first.
    tables:   every table of the page, by name, with all its rows.
    page:     where the page was written; None: nowhere.
    refused:  files that cannot be used; those that are no DICOM are not among them.
    """

    counts: Mapping[str, int | None]
    warnings: tuple[SurveyWarning, ...]
    tables: Mapping[str, pl.DataFrame]
    page: Path | None
    refused: int

    @property
    def leaks(self) -> int:
        """Count the warnings that something is on both sides, of a split or of two archives."""
        return sum(one.name in LEAKS for one in self.warnings)

    def to_dict(self) -> JsonObject:
        """Return plain values, for JSON."""
        return {
            "counts": dict(self.counts),
            "warnings": [warning.to_dict() for warning in self.warnings],
            "tables": {name: frame.to_dicts() for name, frame in self.tables.items()},
        }


def write_exploration(
    parts: Sequence[Part],
    archive: OpenedArchive | None,
    labels: OpenedLabels | None,
    page: Path | None,
    csv: Path | None,
) -> Exploration:
    """Put the parts together, and write the page and the tables where they are asked for."""
    order = list(WARNINGS)
    found = (one for part in parts for one in part.warnings)
    warnings = tuple(sorted(found, key=lambda one: order.index(one.name)))
    tables = [one for part in parts for one in part.tables]
    counts = _counts(archive, labels)
    if csv is not None:
        _write_tables(csv, tables)
    if page is not None:
        write_survey_page(page, _content(parts, warnings, archive, labels))
    return Exploration(
        counts=counts,
        warnings=warnings,
        tables={one.name: one.frame for one in tables},
        page=page,
        refused=0 if archive is None else archive.index.refused,
    )


def _counts(archive: OpenedArchive | None, labels: OpenedLabels | None) -> dict[str, int | None]:
    counts: dict[str, int | None] = {}
    if archive is not None:
        counts |= archive.counts.row(0, named=True) | {"patients": archive.patients}
        counts["files"] = archive.index.counts()["files"]
        counts["rejects"] = archive.index.rejects.height
    if labels is not None:
        known = labels.placed.frame.filter(pl.col("value").is_not_null())
        counts |= {"labels": known.height, "labeled_ids": known["id"].n_unique()}
    return counts


def _write_tables(folder: Path, tables: Sequence[PageTable]) -> None:
    """Write every table as NAME.csv; lists are joined by blanks."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        lists = [key for key, kind in table.frame.schema.items() if isinstance(kind, pl.List)]
        joined = table.frame.with_columns(
            pl.col(key).cast(pl.List(pl.String)).list.join(" ") for key in lists
        )
        write_csv(folder / f"{table.name}.csv", escape_formulas(joined))


def _content(
    parts: Sequence[Part],
    warnings: Sequence[SurveyWarning],
    archive: OpenedArchive | None,
    labels: OpenedLabels | None,
) -> SurveyContent:
    """Return the content of the page."""
    names = {one.name for one in warnings}
    looked = dict.fromkeys(name for part in parts for name in part.looked_for if name not in names)
    facts: list[PageFact] = []
    what: list[str] = []
    if archive is not None:
        facts += archive_facts(archive)
        what.append(plural(archive.counts["images"][0], "image"))
    if labels is not None:
        count = labels.placed.frame["value"].count()
        facts.append(PageFact("labels", f"{count:,}"))
        what.append(plural(count, "label"))
    facts.append(PageFact("warnings", str(len(warnings))))
    return SurveyContent(
        title="What is here" if labels is None else f"What is here: {labels.task.title}",
        summary=f"{' and '.join(what) or 'What was given'}: what is there, and what is wrong.",
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
