"""verbs/explore/part.py: one part of what was found: for the page, the JSON and the CSV at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from wetread.pages.chart import Chart
from wetread.pages.page import PageCase, PageFact
from wetread.pages.survey_page import PageTable, SurveySection
from wetread.survey.warning import SurveyWarning

DrawChart = Callable[[], Chart]


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a survey: its section of the page, and its warnings.

    charts:     drawn where the page is written.
    looked_for: names of warnings that would have been found; not_looked: those that could not be
    looked for, and why.
    """

    title: str
    note: str = ""
    facts: tuple[PageFact, ...] = ()
    charts: tuple[DrawChart, ...] = ()
    tables: tuple[PageTable, ...] = ()
    cases: tuple[PageCase, ...] = ()
    warnings: tuple[SurveyWarning, ...] = ()
    looked_for: tuple[str, ...] = ()
    not_looked: Mapping[str, str] = field(default_factory=dict)

    @property
    def section(self) -> SurveySection:
        """Draw the section of the page."""
        charts = tuple(draw() for draw in self.charts)
        return SurveySection(self.title, self.note, self.facts, charts, self.tables, self.cases)
