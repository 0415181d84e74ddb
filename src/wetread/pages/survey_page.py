"""pages/survey_page.py: warnings, tables, charts and pictures of an archive as one HTML page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from wetread.archive.files.atomic import write_output
from wetread.archive.plural import plural
from wetread.pages.chart import Chart
from wetread.pages.environment import page_environment, percent, spaced_words
from wetread.pages.page import USE, PageCase, PageFact

TEMPLATE = "survey_page.html.j2"
SHOWN_ROWS = 12  # of a table; more are folded away
FOLDED_ROWS = 200  # of a table at most; all are in the CSV


@dataclass(frozen=True)
class PageWarning:
    """A warning as people read it: what was found, what such a thing has cost, what to do."""

    title: str
    detail: str
    cost: str
    advice: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PageTable:
    """A table under a title.

    name: as it is called in JSON and CSV. folded: shown when it is opened, for a chart shows it.
    """

    name: str
    title: str
    frame: pl.DataFrame
    note: str = ""
    folded: bool = False

    @property
    def columns(self) -> list[str]:
        """The names of the columns, as words."""
        return [spaced_words(name) for name in self.frame.columns]

    @property
    def texts(self) -> list[bool]:
        """Whether each column holds text."""
        return [kind in (pl.String, pl.List) for kind in self.frame.dtypes]

    @property
    def rows(self) -> list[list[str]]:
        """The cells of the first FOLDED_ROWS rows, as text."""
        shares = [name.startswith("share") or name == "falling" for name in self.frame.columns]
        return [
            [_cell(value, share) for value, share in zip(row, shares, strict=True)]
            for row in self.frame.head(FOLDED_ROWS).iter_rows()
        ]

    @property
    def shown(self) -> list[list[str]]:
        """The rows that are shown at once."""
        return self.rows[:SHOWN_ROWS]

    @property
    def left(self) -> str:
        """How many rows are not on the page, in words; empty where all are."""
        rest = self.frame.height - FOLDED_ROWS
        return f"{plural(rest, 'more row')}, in the CSV alone" if rest > 0 else ""


@dataclass(frozen=True, eq=False)
class SurveySection:
    """A part of the page: what it is about, and what is in it."""

    title: str
    note: str = ""
    facts: tuple[PageFact, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[PageTable, ...] = ()
    cases: tuple[PageCase, ...] = ()

    @property
    def anchor(self) -> str:
        """The name by which links reach it."""
        return self.title.lower().replace(" ", "-")

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of its pictures, in order."""
        return tuple(dict.fromkeys(case.group for case in self.cases))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        filled = any(table.frame.height for table in self.tables)
        return not (self.note or self.facts or self.charts or filled or self.cases)


@dataclass(frozen=True, eq=False)
class SurveyContent:
    """The content of a page: what there is, what to be warned of, and its parts.

    looked_for: names of warnings that were looked for and not found, in words.
    not_looked: what was not looked for, and why.
    """

    title: str
    summary: str
    facts: tuple[PageFact, ...]
    warnings: tuple[PageWarning, ...]
    sections: tuple[SurveySection, ...]
    looked_for: tuple[str, ...] = ()
    not_looked: Mapping[str, str] = field(default_factory=dict)

    @property
    def filled(self) -> tuple[SurveySection, ...]:
        """The parts that have something to show."""
        return tuple(section for section in self.sections if not section.is_empty)


def write_survey_page(path: Path, content: SurveyContent) -> None:
    """Write the page; one file, no script, no request to anywhere."""
    write_output(path, survey_html(content).encode())


def survey_html(content: SurveyContent) -> str:
    """Return the page as HTML text."""
    from markupsafe import Markup

    environment = page_environment()
    environment.filters["markup"] = Markup
    return environment.get_template(TEMPLATE).render(page=content, use=USE)


def _cell(value: object, share: bool) -> str:
    """Write one cell: shares in percent, whole numbers in groups of three, lists joined."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if share:
            return percent(value)
        return f"{value:,.0f}".replace(",", "\u2009") if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u2009")
    if isinstance(value, list | tuple):
        return ", ".join(_cell(one, False) for one in value)
    return str(value)
