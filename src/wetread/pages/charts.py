"""pages/charts.py: curves as SVG text for a page. Drawn with matplotlib's objects, no pyplot.

matplotlib is imported when a chart is drawn, so that importing the package stays quick.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypedDict

import numpy as np

from wetread.archive.types import Float64Array, JsonObject
from wetread.evaluation.calibration import (
    ReliabilityBin,
    precision_recall_curve,
    prevalence,
    reliability_curve,
    roc_curve,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, RULE, ACCENT = "#22303a", "#6b7a83", "#dcdad2", "#1f6f78"
COLORS = ("#b4632f", "#7a6aa8", "#b59a3a", "#5b8f5a", "#a6527a", "#5f8fb4", "#8a7a6a", "#4d5b66")
PAGE_COLORS = {INK: "ink", MUTED: "muted", RULE: "rule", ACCENT: "accent"}  # page_style.css.j2
Dashes = str | tuple[int, tuple[float, ...]]  # as matplotlib has line styles
DASHES: tuple[Dashes, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
MOST_POINTS = 400  # of a curve on the page
SIZE_INCHES = (4.1, 3.7)


class LineStyle(TypedDict, total=False):
    """How matplotlib draws a curve."""

    color: str
    linestyle: Dashes
    linewidth: float
    label: str
    zorder: int


@dataclass(frozen=True, eq=False)
class Curves:
    """The curves of one finding; arrays are empty where the finding has one class only.

    false_rate, true_rate: (N,) of the ROC curve; recall, precision: (M,) of their curve.
    prevalence: share of positives.
    """

    finding: str
    false_rate: Float64Array
    true_rate: Float64Array
    recall: Float64Array
    precision: Float64Array
    prevalence: float
    reliability: tuple[ReliabilityBin, ...]


@dataclass(frozen=True)
class History:
    """The epochs of one model as metrics.jsonl has them: epoch, loss, validation metric or None,
    and kept."""

    name: str
    epochs: tuple[JsonObject, ...]


def make_curves(
    truth: Float64Array, probability: Float64Array, findings: Sequence[str]
) -> tuple[Curves, ...]:
    """Return the curves of every finding; truth (N, F), NaN unknown, and probability (N, F)."""
    return tuple(
        Curves(
            name,
            *roc_curve(truth[:, column], probability[:, column]),
            *precision_recall_curve(truth[:, column], probability[:, column]),
            prevalence(truth[:, column]),
            reliability_curve(truth[:, column], probability[:, column]),
        )
        for column, name in enumerate(findings)
    )


def roc_chart(curves: Sequence[Curves], headline: str) -> str:
    """Draw sensitivity over 1 - specificity, the headline finding strongest; return SVG text."""
    figure, axes = square_figure("1 − specificity", "sensitivity")
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=1, zorder=1)
    for curve, style in _styled(curves, headline):
        axes.plot(*thinned(curve.false_rate, curve.true_rate), **style)
    add_legend(axes, "lower right")
    return svg_text(figure, "roc", "ROC curves of the findings")


def precision_recall_chart(curves: Sequence[Curves], headline: str) -> str:
    """Draw precision over recall, the headline's prevalence as a dashed floor; return SVG text."""
    figure, axes = square_figure("recall (sensitivity)", "precision")
    for curve, style in _styled(curves, headline):
        axes.plot(*thinned(curve.recall, curve.precision), **style)
        if curve.finding == headline and np.isfinite(curve.prevalence):
            axes.axhline(curve.prevalence, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
            axes.annotate(
                f"prevalence {curve.prevalence:.2f}",
                (0.02, curve.prevalence),
                (0, 3),
                textcoords="offset points",
                color=MUTED,
                fontsize=8,
            )
    return svg_text(figure, "pr", "Precision over recall of the findings")


def reliability_chart(curves: Sequence[Curves], headline: str) -> str:
    """Draw the share truly positive over the predicted probability, in reliability_curve's bins.

    The axes end where the dots do. Returns SVG text.
    """
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    figure, axes = square_figure("probability said", "share truly positive")
    reached = [
        max(part.mean_probability, part.share_positive)
        for curve in curves
        for part in curve.reliability
    ]
    edge = min(1.0, 1.1 * max(reached, default=1.0))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))
        axis.set_major_formatter(ScalarFormatter())
    axes.set_xlim(-0.01 * edge, 1.02 * edge)
    axes.set_ylim(-0.01 * edge, 1.02 * edge)
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=1, zorder=1)
    for curve, style in _styled(curves, headline):
        predicted = [part.mean_probability for part in curve.reliability]
        true = [part.share_positive for part in curve.reliability]
        axes.plot(predicted, true, marker="o", markersize=3.5, **style)
    return svg_text(figure, "reliability", "Reliability: what was said against what was true")


def training_chart(histories: Sequence[History]) -> str:
    """Draw the loss in training and the validation metric by epoch, a ring where a model was kept.

    Returns SVG text.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = chart_figure((6.2, 3.0))
    for number, history in enumerate(histories):
        first = number == 0
        epochs = [row["epoch"] + 1 for row in history.epochs]
        axes.plot(
            epochs,
            [row["loss"] for row in history.epochs],
            color=MUTED,
            linewidth=1.4,
            label="loss in training" if first else None,
        )
        judged = [row for row in history.epochs if row.get("value") is not None]
        axes.plot(
            [row["epoch"] + 1 for row in judged],
            [row["value"] for row in judged],
            color=ACCENT,
            linewidth=1.9,
            label="metric on validation" if first else None,
        )
        kept = [row for row in judged if row.get("kept")]
        if kept:
            axes.plot(
                kept[-1]["epoch"] + 1,
                kept[-1]["value"],
                marker="o",
                markersize=8,
                markerfacecolor="none",
                markeredgecolor=ACCENT,
                linestyle="none",
                label="model that was kept" if first else None,
            )
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)
    add_legend(axes, "upper right")
    return svg_text(figure, "training", "Loss and validation metric by epoch")


def _styled(curves: Sequence[Curves], headline: str) -> list[tuple[Curves, LineStyle]]:
    """Return every curve with its line style, the headline last, so that it lies on top."""
    others = [curve for curve in curves if curve.finding != headline]
    styles: list[tuple[Curves, LineStyle]] = [
        (
            curve,
            {
                "color": COLORS[i % len(COLORS)],
                "linestyle": DASHES[(i + i // len(COLORS)) % len(DASHES)],  # ten differ
                "linewidth": 1.4,
                "label": curve.finding.replace("_", " "),
            },
        )
        for i, curve in enumerate(others)
    ]
    styles += [
        (
            curve,
            {
                "color": ACCENT,
                "linewidth": 2.4,
                "label": curve.finding.replace("_", " "),
                "zorder": 5,
            },
        )
        for curve in curves
        if curve.finding == headline
    ]
    return [(curve, style) for curve, style in styles if len(curve.true_rate)]


def square_figure(x: str, y: str) -> tuple[Figure, Axes]:
    """Return a square figure whose axes run from 0 to 1, with their labels."""
    figure, axes = chart_figure(SIZE_INCHES)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.02)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    return figure, axes


def chart_figure(inches: tuple[float, float]) -> tuple[Figure, Axes]:
    """Return an empty figure of a size in the page's colors, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(RULE)
    axes.tick_params(colors=MUTED, length=0, labelsize=8)
    axes.xaxis.label.set_color(MUTED)
    axes.yaxis.label.set_color(MUTED)
    axes.xaxis.label.set_fontsize(9)
    axes.yaxis.label.set_fontsize(9)
    axes.grid(color=RULE, linewidth=0.5, alpha=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def add_legend(axes: Axes, place: Literal["lower right", "upper right"]) -> None:
    """Add a legend of what has a label, the last drawn first; none without any."""
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            handles=handles[::-1],
            loc=place,
            frameon=False,
            fontsize=8,
            labelcolor=INK,
            handlelength=3,
        )


def thinned(x: Float64Array, y: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return at most MOST_POINTS of a curve, x (N,) and y (N,), evenly along its length, both ends
    kept."""
    if len(x) <= MOST_POINTS:
        return x, y
    along = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    kept = np.unique(np.searchsorted(along, np.linspace(0, along[-1], MOST_POINTS)))
    kept = np.unique(np.append(np.clip(kept, 0, len(x) - 1), [0, len(x) - 1]))
    return x[kept], y[kept]


def svg_text(figure: Figure, name: str, label: str) -> str:
    """Return the figure as an <svg> element, its ids prefixed, for several share a page."""
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(
            buffer,
            format="svg",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r'<svg([^>]*?) width="[^"]*"', r"<svg\1", text, count=1)
    text = re.sub(r'<svg([^>]*?) height="[^"]*"', r"<svg\1", text, count=1)
    for color, name_on_page in PAGE_COLORS.items():  # a page in the dark has others
        text = text.replace(f": {color}", f": var(--{name_on_page}, {color})")
    return text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
