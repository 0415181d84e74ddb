"""reports/slice_panels.py: a slice through the task's windows and what speaks for a finding in it,
as labelled pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from wetread.outputs.pictures import heated, panels, png_bytes
from wetread.outputs.sides import edge_letters
from wetread.pages.panel import Panel, window_label
from wetread.training.run import Run
from wetread.view.window import Window

EdgeLetters = Mapping[
    str, tuple[str, str]
]  # series to the patient's side at the left and right edge
SIDES = "sides.json"
Encode = Callable[[np.ndarray], bytes]


@dataclass(frozen=True)
class PanelSettings:
    """The values that the panels of one slice share.

    windows: one panel each. finding: what the glow speaks for. about: for who does not see the
    pictures: which image, what is true of it, what was said. sides: letters of the left and right
    edge. size: pixels of the longer side. no_glow: told below the last window where nothing glows.
    """

    windows: tuple[Window, ...]
    finding: str
    about: str
    sides: tuple[str, str] = ("", "")
    size: int = 320
    encode: Encode = png_bytes
    no_glow: str = ""


def slice_panels(
    hu: np.ndarray, heat: np.ndarray | None, shown: PanelSettings
) -> tuple[Panel, ...]:
    """hu (H, W) through each window; last, where there is heat (h, w) in [0, 1], it as a glow."""
    greys = [panels(hu, [window], shown.size) for window in shown.windows]
    labels = [window_label(window) for window in shown.windows]
    pictures = list(zip(greys, labels, strict=True))
    if heat is not None:
        glow = f"the glow, on the first: what speaks for {shown.finding.replace('_', ' ')}"
        pictures.append((heated(greys[0], heat), glow))
    elif shown.no_glow:
        pictures[-1] = (greys[-1], f"{labels[-1]}; {shown.no_glow}")
    return tuple(
        Panel(shown.encode(picture), label, f"{shown.about}; {label}", *shown.sides)
        for picture, label in pictures
    )


def series_edge_letters(images: pl.DataFrame) -> dict[str, tuple[str, str]]:
    """SeriesInstanceUID to the patient's side at the left and the right edge of its pictures, where
    the header tells it of all alike; images: rows of an index."""
    found: dict[str, tuple[str, str]] = {}
    mixed: set[str] = set()
    known = images.select("SeriesInstanceUID", "orientation").drop_nulls().unique()
    for series, orientation in known.iter_rows():
        sides = _sides(orientation)
        if found.setdefault(series, sides) != sides:
            mixed.add(series)
    return {series: sides for series, sides in found.items() if any(sides) and series not in mixed}


def write_edge_letters(run: Run, images: pl.DataFrame) -> None:
    """Keep in a run which side of the patient is where, for the pictures on its page."""
    found = sorted(series_edge_letters(images).items())  # the same words, the same file
    run.write_json(SIDES, {series: list(sides) for series, sides in found})


def read_edge_letters(run: Path) -> EdgeLetters:
    """Read the sides that write_sides wrote; empty for runs of earlier versions."""
    if not (run / SIDES).is_file():
        return {}
    kept = json.loads((run / SIDES).read_text(encoding="utf-8"))
    return {series: (left, right) for series, (left, right) in kept.items()}


def _sides(orientation: Sequence[float]) -> tuple[str, str]:
    try:
        letters = edge_letters(np.array(orientation, np.float64))
    except ValueError:  # axes that are none
        return "", ""
    return letters.get("left", ""), letters.get("right", "")
