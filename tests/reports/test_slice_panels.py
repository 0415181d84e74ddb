"""tests/reports/test_slice_panels.py: panels say what glows; letters at their edges are kept."""

from pathlib import Path

import numpy as np
import polars as pl

from wetread.outputs.sides import series_edge_letters
from wetread.pages.panel import Panel
from wetread.reports.slice_panels import (
    PanelSettings,
    read_edge_letters,
    slice_panels,
    write_edge_letters,
)
from wetread.training.run import Run
from wetread.view.window import BONE, BRAIN

AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
FLIPPED = [-1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def test_a_slice_in_which_nothing_glows_says_so() -> None:
    hu = np.zeros((16, 16), np.float32)
    settings = PanelSettings(
        (BRAIN, BONE), "any", "image x", no_glow="no glow: nothing in it speaks for any"
    )

    def labels(panels: tuple[Panel, ...]) -> list[str]:
        return [panel.label for panel in panels]

    first, last = labels(slice_panels(hu, None, settings))
    assert last.endswith("; no glow: nothing in it speaks for any")
    assert "glow" not in first
    glowing = labels(slice_panels(hu, np.ones((4, 4), np.float32), settings))
    assert len(glowing) == 3
    assert not any("no glow" in label for label in glowing)


def images(*rows: tuple[str, list[float] | None]) -> pl.DataFrame:
    return pl.DataFrame(
        rows,
        schema={"SeriesInstanceUID": pl.String, "orientation": pl.List(pl.Float64)},
        orient="row",
    )


def test_the_letters_are_the_patients_and_where_slices_differ_there_are_none() -> None:
    rows = images(("a", AXIAL), ("a", AXIAL), ("b", FLIPPED), ("c", AXIAL), ("c", FLIPPED))
    assert series_edge_letters(rows) == {"a": ("R", "L"), "b": ("L", "R")}
    assert series_edge_letters(images(("d", None), ("e", [0.0] * 6))) == {}


def test_a_run_keeps_the_letters_and_one_of_before_has_none(tmp_path: Path) -> None:
    assert read_edge_letters(tmp_path) == {}
    write_edge_letters(Run(tmp_path), images(("b", FLIPPED), ("a", AXIAL)))
    assert read_edge_letters(tmp_path) == {"a": ("R", "L"), "b": ("L", "R")}
