"""pages/reader_chart.py: a model's ROC curves beside readers' points, as SVG text for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wetread.archive.types import Float64Array
from wetread.pages.charts import COLORS, RULE, add_legend, square_figure, svg_text, thinned

MARKERS = ("o", "s", "^", "D", "v", "P", "X")


@dataclass(frozen=True, eq=False)
class ReaderPoint:
    """A reader's point, and the model's curve against the same reference.

    false_rate, true_rate: (N,) of the curve; empty where there is none.
    """

    reader: str
    sensitivity: float
    specificity: float
    false_rate: Float64Array
    true_rate: Float64Array


def reader_chart(points: Sequence[ReaderPoint], name: str) -> str:
    """Draw each reader as a point and the model against that reader's reference as a curve of the
    same color; return SVG text. name: of the chart on its page."""
    figure, axes = square_figure("1 − specificity", "sensitivity")
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=1, zorder=1)
    for number, point in enumerate(points):
        color = COLORS[number % len(COLORS)]
        if len(point.true_rate):
            axes.plot(*thinned(point.false_rate, point.true_rate), color=color, linewidth=1.3)
        axes.plot(
            1 - point.specificity,
            point.sensitivity,
            marker=MARKERS[number % len(MARKERS)],
            markersize=8,
            color=color,
            linestyle="none",
            label=point.reader,
            zorder=5,
        )
    add_legend(axes, "lower right")
    return svg_text(figure, f"readers-{name}", "Readers as points, the model as curves")
