"""reports/slice_panels.py: a slice through windows, with a finding's heat map, as pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from wetread.archive.types import Float32Array, UInt8Array
from wetread.outputs.pictures import heated, panels, png_bytes
from wetread.outputs.sides import series_edge_letters
from wetread.pages.panel import Panel, window_label
from wetread.view.window import Window

if TYPE_CHECKING:  # its file knows torch
    from wetread.training.run import Run

# Series to the letters of the patient's sides at the left and the right edge of its pictures.
EdgeLetters = Mapping[str, tuple[str, str]]
FILE = "sides.json"
Encode = Callable[[UInt8Array], bytes]


@dataclass(frozen=True)
class PanelSettings:
    """The values that the panels of one slice share.

    windows: one panel each.
    finding: for which the heat map speaks.
    about:   for who does not see the pictures: which image, what is true of it, the answer.
    letters: at the left and the right edge.
    size:    pixels of the longer side.
    no_glow: the words below the last window where there is no heat map.
    """

    windows: tuple[Window, ...]
    finding: str
    about: str
    letters: tuple[str, str] = ("", "")
    size: int = 320
    encode: Encode = png_bytes
    no_glow: str = ""


def slice_panels(
    hu: Float32Array, heat: Float32Array | None, settings: PanelSettings
) -> tuple[Panel, ...]:
    """Show hu (rows, columns) through each window; last, where there is heat (h, w) in [0, 1], it
    as a glow on the first."""
    grays = [panels(hu, [window], settings.size) for window in settings.windows]
    labels = [window_label(window) for window in settings.windows]
    pictures = list(zip(grays, labels, strict=True))
    if heat is not None:
        glow = f"the glow, on the first: what speaks for {settings.finding.replace('_', ' ')}"
        pictures.append((heated(grays[0], heat), glow))
    elif settings.no_glow:
        pictures[-1] = (grays[-1], f"{labels[-1]}; {settings.no_glow}")
    return tuple(
        Panel(settings.encode(picture), label, f"{settings.about}; {label}", *settings.letters)
        for picture, label in pictures
    )


def write_edge_letters(run: Run, images: pl.DataFrame) -> None:
    """Keep in a run's folder the letters at the edges of the pictures of its page."""
    found = sorted(series_edge_letters(images).items())  # equal letters, equal files
    run.write_json(FILE, {series: list(letters) for series, letters in found})


def read_edge_letters(run: Path) -> EdgeLetters:
    """Read the letters that write_edge_letters wrote; {} for runs of earlier versions."""
    if not (run / FILE).is_file():
        return {}
    kept = json.loads((run / FILE).read_text(encoding="utf-8"))
    return {series: (left, right) for series, (left, right) in kept.items()}
