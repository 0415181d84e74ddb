"""pages/chart.py: a chart with its title, and in words what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Chart:
    """A chart as SVG text, with what it shows in words for who cannot see it."""

    title: str
    svg: str
    words: str

    def _repr_html_(self) -> str:
        """Return the chart with its title as HTML, for a notebook."""
        return f"<figure>{self.svg}<figcaption>{escape(self.title)}</figcaption></figure>"
