"""docs/hooks/survey.py: the reference of wetread.survey: every function, and a picture of every
chart, drawn of a small frame when the site is built."""

from __future__ import annotations

import numpy as np
import polars as pl

from wetread import survey
from wetread.pages.chart import Chart
from wetread.study.histogram import HU_BINS, histogram
from wetread.survey.label_counts import BANDS
from wetread.survey.masks import GRID

INTRODUCTION = """# Survey

What `wetread explore` shows, as functions: each takes the table of an index, labels or reads, and
returns a polars frame; a chart takes such a frame and shows itself in a notebook. Import them by
`from wetread import survey` ([explore](../explore.md)).
"""


def charts() -> dict[str, Chart]:
    """Draw one chart of every kind, by the name of its function."""
    rng = np.random.default_rng(0)
    views = pl.DataFrame({"value": ["PA", "AP", None], "images": [357, 266, 12]})
    names = ["subdural", "intraventricular", "any"]
    together = pl.DataFrame([[40, 6, 40], [6, 25, 25], [40, 25, 59]], schema=names, orient="row")
    bands = np.arange(BANDS)
    places = pl.DataFrame({"finding": ["any"] * BANDS, "band": bands,
                           "share": 0.3 * np.exp(-((bands - 11) ** 2) / 20)})  # fmt: skip
    rows, columns = np.divmod(np.arange(GRID * GRID), GRID)
    near = np.exp(-((rows - 7) ** 2 + (columns - 6) ** 2) / 14)
    heat = pl.DataFrame({"row": rows, "column": columns, "share": near})
    values = np.concatenate([rng.normal(-1000, 8, 4000), rng.normal(35, 12, 3000)])
    pixels = {"12 bit, intercept -1024": histogram(values, HU_BINS)}
    lengths = pl.Series(rng.choice([1.25, 2.5, 5.0], 300) + rng.normal(0, 0.02, 300))
    return {
        "bar_chart": survey.bar_chart(views, "value", "images", "ViewPosition"),
        "spread_chart": survey.spread_chart(lengths, "mm", "Distance of slices"),
        "matrix_chart": survey.matrix_chart(
            pl.DataFrame({"finding": names}).hstack(together), "Positive together"
        ),
        "place_chart": survey.place_chart(places, "Where positive slices lie"),
        "histogram_chart": survey.histogram_chart(pixels, "HU", "Hounsfield units"),
        "heat_chart": survey.heat_chart(heat, "Where masks lie"),
    }


def survey_page() -> str:
    """Return the reference: charts with their pictures, then the functions that return frames."""
    drawn = charts()
    lines = [INTRODUCTION, "## Charts", ""]
    for name, chart in drawn.items():
        picture = f'<div style="max-width:32rem">{chart.svg}</div>'
        lines += [f"::: wetread.survey.{name}", "", "".join(picture.splitlines()), ""]
    lines += ["## Frames", ""]
    for name in (name for name in survey.__all__ if name not in drawn):
        lines += [f"::: wetread.survey.{name}", ""]
    return "\n".join(lines) + "\n"
