"""tests/survey/test_charts.py: every chart is one SVG that says in words what it shows."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import polars as pl
import pytest

from wetread.pages.chart import Chart
from wetread.study.histogram import HU_BINS, histogram
from wetread.survey.charts import (
    MOST_BARS,
    bar_chart,
    heat_chart,
    histogram_chart,
    matrix_chart,
    place_chart,
    spread_chart,
)

COUNTS = pl.DataFrame({"value": ["<b>", None, "c"], "images": [5, 3, 2]})
MATRIX = pl.DataFrame({"finding": ["a", "b"], "a": [3, 2], "b": [2, 4]})
PLACES = pl.DataFrame({"finding": ["a", "a"], "band": [0, 10], "share": [0.1, 0.6]})
HEAT = pl.DataFrame({"row": [0, 5], "column": [3, 5], "share": [0.2, 0.9]})
AIR = histogram(np.full(50, -1000.0), HU_BINS)
CHARTS = {
    "not given 3": bar_chart(COUNTS, "value", "images", "Views"),
    "median 2": spread_chart(pl.Series([1.0, 2.0, 30.0, None]), "mm", "Spacing"),
    "no value is known": spread_chart(pl.Series([None], dtype=pl.Float64), "mm", "Empty"),
    "a most at 52% of the series": place_chart(PLACES, "Places"),
    "b with a 2": matrix_chart(MATRIX, "Together"),
    "air: from -1000 to -992": histogram_chart({"air": AIR}, "HU", "Values"),
    "23% from the top and 23% from the left": heat_chart(HEAT, "Masks"),
}


@pytest.mark.parametrize("words", CHARTS)
def test_a_chart_is_one_svg_and_its_words_say_what_is_in_it(words: str) -> None:
    chart = CHARTS[words]
    root = ElementTree.fromstring(chart.svg)
    assert words in chart.words
    assert words in (root.get("aria-label") or "")
    assert isinstance(chart, Chart)
    assert chart.title in chart._repr_html_()


def test_of_many_bars_the_last_are_summed() -> None:
    rows = pl.DataFrame(
        {"value": [str(n) for n in range(30)], "images": [30 - n for n in range(30)]}
    )
    chart = bar_chart(rows, "value", "images", "Many")
    rest = 30 - MOST_BARS + 1
    assert f"{rest} others {sum(range(1, rest + 1))}" in chart.words
