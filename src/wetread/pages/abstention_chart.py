"""pages/abstention_chart.py: what is won by leaving out what is unsure, as SVG text for a page."""

from __future__ import annotations

from collections.abc import Sequence

from wetread.evaluation.abstention import DISAGREEMENT, NEARNESS, AbstentionCurve
from wetread.pages.charts import ACCENT, COLORS, MUTED, add_legend, square_figure, svg_text

LABELS = {
    NEARNESS: "nearest to 0.5 left out first",
    DISAGREEMENT: "largest disagreement left out first",
    "chance": "left out at random",
}
STYLES = {NEARNESS: (ACCENT, "-"), DISAGREEMENT: (COLORS[0], (0, (5, 2))), "chance": (MUTED, ":")}


def abstention_chart(curves: Sequence[AbstentionCurve]) -> str:
    """Draw the mean log loss of what is kept over the share left out; return SVG text."""
    from matplotlib.ticker import AutoLocator, ScalarFormatter

    figure, axes = square_figure("share left out", "log loss of the rest")
    axes.set_xlim(-0.01, 0.51)
    axes.set_xticks([0, 0.1, 0.2, 0.3, 0.4, 0.5], ["0", "0.1", "0.2", "0.3", "0.4", "0.5"])
    axes.yaxis.set_major_locator(AutoLocator())
    axes.yaxis.set_major_formatter(ScalarFormatter())
    for curve in reversed(curves):
        color, dashes = STYLES[curve.uncertainty]
        label = LABELS[curve.uncertainty]
        axes.plot(curve.left, curve.log_loss, color=color, linestyle=dashes, label=label)
    highest = max((max(curve.log_loss) for curve in curves), default=1.0)
    axes.set_ylim(0, 1.4 * highest)  # room for the legend above
    add_legend(axes, "upper right")
    return svg_text(figure, "abstention", "Log loss of what is kept over the share left out")
