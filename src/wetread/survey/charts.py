"""survey/charts.py: charts of the frames of a survey, as SVG: one function a kind of chart.

A chart shows itself in a notebook. matplotlib is imported when one is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
import polars as pl

from wetread.pages.chart import Chart
from wetread.pages.charts import ACCENT, COLORS, INK, MUTED, chart_figure, svg_text
from wetread.study.histogram import Histogram
from wetread.survey.label_counts import BANDS
from wetread.survey.masks import GRID

MOST_BARS = 12
BAR_INCHES = 0.24
BINS = 24
DARK, LIGHT = "#22303b", "#ffffff"  # on cells that keep their color in a dark page


def bar_chart(frame: pl.DataFrame, label: str, value: str, title: str) -> Chart:
    """Draw a bar a row: its text in the column `label` (null: "not given") and its number in
    `value`; of more than MOST_BARS rows the last are summed in one."""
    names = [_name(one) for one in frame[label]]
    numbers = [float(one or 0) for one in frame[value]]
    if len(names) > MOST_BARS:
        rest = len(names) - MOST_BARS + 1
        numbers = [*numbers[: MOST_BARS - 1], sum(numbers[MOST_BARS - 1 :])]
        names = [*names[: MOST_BARS - 1], f"{rest} others"]
    figure, axes = chart_figure((5.2, 0.6 + BAR_INCHES * max(len(names), 1)))
    places = np.arange(len(names))
    axes.barh(places, numbers, height=0.62, color=ACCENT)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlabel(value.replace("_", " "))
    axes.margins(x=0.14)
    for place, number in zip(places, numbers, strict=True):
        axes.annotate(
            _number(number), (number, place), (3, 0), textcoords="offset points",
            va="center", fontsize=8, color=MUTED,
        )  # fmt: skip
    words = "; ".join(f"{n} {_number(v)}" for n, v in zip(names, numbers, strict=True))
    return _chart(figure, title, words)


def spread_chart(values: pl.Series, unit: str, title: str) -> Chart:
    """Draw the histogram of a number, from its least to its greatest value in BINS bins."""
    known = values.drop_nulls().cast(pl.Float64)
    known = known.filter(known.is_finite())
    figure, axes = chart_figure((4.1, 2.4))
    axes.hist(known.to_numpy(), bins=BINS, color=ACCENT)
    axes.set_xlabel(unit)
    axes.set_ylabel("count")
    if not len(known):
        return _chart(figure, title, "no value is known")
    low, middle, high = np.quantile(known.to_numpy(), [0.0, 0.5, 1.0])
    words = f"from {low:.4g} to {high:.4g} {unit}, median {middle:.4g}"
    return _chart(figure, title, words)


def place_chart(places: pl.DataFrame, title: str) -> Chart:
    """Draw the share of positive slices along the series, a line a finding; places: of
    positive_places."""
    figure, axes = chart_figure((5.2, 2.8))
    peaks = []
    for number, ((finding,), rows) in enumerate(places.group_by("finding", maintain_order=True)):
        at = (rows["band"] + 0.5).to_numpy() / BANDS
        color = (ACCENT, *COLORS)[number % (len(COLORS) + 1)]
        axes.plot(at, rows["share"].to_numpy(), color=color, linewidth=1.6, label=str(finding))
        best = rows.sort("share", descending=True)
        peaks.append(f"{finding} most at {(best['band'][0] + 0.5) / BANDS:.0%} of the series")
    axes.set_xlabel("place in the series, 0 lowest")
    axes.set_ylabel("share positive")
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8, labelcolor=INK)
    return _chart(figure, title, "; ".join(peaks))


def matrix_chart(frame: pl.DataFrame, title: str) -> Chart:
    """Draw a matrix of counts, a row and a column a finding (of co_occurrence)."""
    names = frame["finding"].to_list()
    counts = frame.select(names).to_numpy()
    side = 1.4 + 0.36 * len(names)
    figure, axes = chart_figure((side + 1.2, side))
    axes.grid(visible=False)
    axes.imshow(np.log1p(counts), cmap="BuGn", aspect="auto")
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(names)), names)
    middle = np.log1p(counts.max()) / 2 if counts.size else 0
    for (row, column), count in np.ndenumerate(counts):
        color = LIGHT if np.log1p(count) > middle else DARK
        axes.text(column, row, _number(count), ha="center", va="center", fontsize=7, color=color)
    pairs = [
        f"{names[a]} with {names[b]} {counts[a, b]}"
        for a in range(len(names)) for b in range(a) if counts[a, b]
    ]  # fmt: skip
    return _chart(figure, title, "; ".join(pairs) or "no two findings together")


def histogram_chart(histograms: Mapping[str, Histogram], unit: str, title: str) -> Chart:
    """Draw histograms of pixels, by a name each, over the range in which any has counts; counts
    are shares on a logarithmic scale."""
    figure, axes = chart_figure((5.2, 2.8))
    words = []
    for number, (name, one) in enumerate(histograms.items()):
        color = (ACCENT, *COLORS)[number % (len(COLORS) + 1)]
        filled = np.flatnonzero(one.counts)
        if not len(filled):
            continue
        share = one.counts[filled[0] : filled[-1] + 1] / one.total
        edges = one.bins.edges[filled[0] : filled[-1] + 2]
        axes.stairs(np.maximum(share, 1e-7), edges, color=color, linewidth=1.2, label=name)
        commonest = one.bins.low + one.bins.step * int(np.argmax(one.counts))
        words.append(f"{name}: from {edges[0]:g} to {edges[-1]:g}, most often {commonest:g}")
    axes.set_yscale("log")
    axes.set_xlabel(unit)
    axes.set_ylabel("share of pixels")
    axes.legend(frameon=False, fontsize=8, labelcolor=INK)
    return _chart(figure, title, "; ".join(words))


def heat_chart(heat: pl.DataFrame, title: str) -> Chart:
    """Draw where masks lie: the mean share of each cell that is marked; heat: rows of HEAT_SCHEMA
    of one finding and view."""
    cells = np.zeros((GRID, GRID))
    rows, columns = heat["row"].to_numpy(), heat["column"].to_numpy()
    cells[rows, columns] = heat["share"].to_numpy()
    figure, axes = chart_figure((3.0, 3.0))
    axes.grid(visible=False)
    axes.imshow(cells, cmap="BuGn", vmin=0)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel("left and right as in the picture")
    row, column = np.unravel_index(int(cells.argmax()), cells.shape)
    down, across = (row + 0.5) / GRID, (column + 0.5) / GRID
    words = f"most often {down:.0%} from the top and {across:.0%} from the left of the picture"
    return _chart(figure, title, words)


def _chart(figure: object, title: str, words: str) -> Chart:
    name = "".join(letter if letter.isalnum() else "-" for letter in title.lower())
    text = svg_text(figure, name, escape(f"{title}: {words}", quote=True))  # type: ignore[arg-type]
    return Chart(title, text, words)


def _name(value: object) -> str:
    text = "not given" if value is None else str(value)
    return text if len(text) <= 34 else f"{text[:33]}…"


def _number(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\u2009") if value == int(value) else f"{value:.3g}"
