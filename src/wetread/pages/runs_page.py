"""pages/runs_page.py: the curves of runs, run beside run, as one HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wetread.archive.files.atomic import write_output
from wetread.archive.plural import plural
from wetread.archive.types import JsonObject
from wetread.pages.chart import Chart
from wetread.pages.charts import (
    COLORS,
    DASHES,
    MUTED,
    History,
    LineStyle,
    add_legend,
    chart_figure,
    svg_text,
)
from wetread.pages.environment import page_environment
from wetread.pages.page import USE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TEMPLATE = "runs_page.html.j2"
SIZE_INCHES = (4.4, 3.2)
CROWDED = 12  # runs: with more, a legend would hide the curves


@dataclass(frozen=True)
class RunCurves:
    """A run of a page: its networks' epochs, and the cells of its row.

    row:   a cell for each of RunsSection.columns: what stands in it, and small below.
    state: finished, or what else it is; reason: why.
    """

    name: str
    networks: tuple[History, ...]
    row: tuple[tuple[str, str], ...]
    state: str
    reason: str = ""


@dataclass(frozen=True)
class RunsSection:
    """The runs of one task.

    metric:   what chose the epoch, in words. auc: the key of an epoch's line that has the area
              under the headline's ROC curve, and its words.
    """

    title: str
    metric: str
    auc: tuple[str, str]
    columns: tuple[str, ...]
    runs: tuple[RunCurves, ...]

    @property
    def charts(self) -> tuple[Chart, ...]:
        """The curves that any of the runs has."""
        of = {"loss": "Loss in training", "value": f"Validation: {self.metric}",
              self.auc[0]: f"Validation: {self.auc[1]}"}  # fmt: skip
        return tuple(
            Chart(title, epoch_chart(self.runs, key, f"{self.title}-{key}", title), "")
            for key, title in of.items()
            if any(row.get(key) is not None for row in _epochs(self.runs))
        )

    @property
    def unfinished(self) -> tuple[RunCurves, ...]:
        """The runs that are not finished, each with its reason."""
        return tuple(run for run in self.runs if run.reason)


def write_runs_page(path: Path, sections: Sequence[RunsSection]) -> None:
    """Write the page of runs, their tasks one after the other."""
    write_output(path, runs_html(sections).encode())


def runs_html(sections: Sequence[RunsSection]) -> str:
    """Return the page as HTML."""
    count = plural(sum(len(section.runs) for section in sections), "run")
    template = page_environment().get_template(TEMPLATE)
    return template.render(
        title=count,
        sections=sections,
        use=USE,
    )


def epoch_chart(runs: Sequence[RunCurves], key: str, name: str, label: str) -> str:
    """Draw a number of the epochs of runs, a color a run and a line a network, a ring where the
    model was kept last; return SVG text."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = chart_figure(SIZE_INCHES)
    for place, run in enumerate(runs):
        _draw(axes, run, key, run_style(place))
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(runs) <= CROWDED:
        add_legend(axes, "lower right" if key.startswith("roc_auc") else "upper right")
    return svg_text(figure, "".join(c if c.isalnum() else "-" for c in name), label)


def run_style(place: int) -> LineStyle:
    """Return color and dashes of the run at a place; 32 differ."""
    turn = place // len(COLORS)
    return {"color": COLORS[place % len(COLORS)], "linestyle": DASHES[turn % len(DASHES)]}


def _draw(axes: Axes, run: RunCurves, key: str, style: LineStyle) -> None:
    first = True
    for network in run.networks:
        rows = [row for row in network.epochs if row.get(key) is not None]
        if not rows:
            continue
        wide = 1.8 if len(run.networks) == 1 else 1.1
        axes.plot(
            [row["epoch"] + 1 for row in rows], [row[key] for row in rows],
            linewidth=wide, label=run.name if first else None, marker="." if len(rows) == 1 else "",
            **style,
        )  # fmt: skip
        first = False
        kept = [row for row in rows if row.get("kept")]
        if kept and key != "loss":
            axes.plot(
                kept[-1]["epoch"] + 1, kept[-1][key], marker="o", markersize=7,
                markerfacecolor="none", markeredgecolor=style.get("color", MUTED), linestyle="none",
            )  # fmt: skip


def _epochs(runs: Sequence[RunCurves]) -> list[Mapping[str, object] | JsonObject]:
    return [row for run in runs for network in run.networks for row in network.epochs]
