"""outputs/sides.py: which side of the patient lies at each edge of a picture, as letters."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from wetread.archive.types import Float64Array
from wetread.study.geometry import unit_axes

_OPPOSITE: dict[str, str] = {"R": "L", "L": "R", "A": "P", "P": "A", "H": "F", "F": "H"}
_OBLIQUE = 0.5  # of a direction cosine: from here on a second letter is given


def edge_letters(orientation: Float64Array) -> Mapping[str, str]:
    """Return the side of the patient at each edge of the picture: left, right, top, bottom.

    orientation: (6,) as (0020,0037). R, L, A, P, H(ead), F(oot), PS3.3 C.7.6.1.1.1; two letters
    where the direction leans by 30 degrees or more; empty where it is not known.
    """
    if np.isnan(orientation).any():
        return {}
    row, column, _ = unit_axes(orientation)
    return letters_along(row, column)


def letters_along(across: Float64Array, down: Float64Array) -> Mapping[str, str]:
    """Name a picture's edges by directions (3,) in LPS, to its right and to its bottom."""
    right, bottom = direction_letters(across), direction_letters(down)
    return {
        "right": right,
        "left": opposite(right),
        "bottom": bottom,
        "top": opposite(bottom),
    }


def opposite(letters: str) -> str:
    """Return the letters of the opposite direction: `RA` to `LP`."""
    return "".join(_OPPOSITE[letter] for letter in letters)


def direction_letters(direction: Float64Array) -> str:
    """Return the letters of a direction (3,) in LPS, the greatest part first."""
    order = np.argsort(-np.abs(direction), kind="stable")
    axes = [order[0], *(axis for axis in order[1:] if abs(direction[axis]) >= _OBLIQUE)]
    return "".join(("RL", "AP", "FH")[axis][int(direction[axis] > 0)] for axis in axes)


def left_right_letters(orientation: Sequence[float] | Float64Array | None) -> tuple[str, str]:
    """Return the letters of the left and the right edge; ("", "") where they are not known.

    orientation: (6,) as (0020,0037), or None.
    """
    if orientation is None or len(orientation) != 6:
        return "", ""
    try:
        letters = edge_letters(np.asarray(orientation, np.float64))
    except ValueError:  # two directions that are not at right angles
        return "", ""
    return letters.get("left", ""), letters.get("right", "")


def side_label(orientation: Sequence[float] | Float64Array | None) -> str:
    """Return `R < > L`, the sides at the left and right edge, for a line below a picture.

    orientation: (6,) as (0020,0037), or None; "" where it is not known.
    """
    left, right = left_right_letters(orientation)
    return f"{left} < > {right}" if left else ""


def series_edge_letters(images: pl.DataFrame) -> dict[str, tuple[str, str]]:
    """Map each SeriesInstanceUID to the letters of the patient's sides at the left and the right
    edge of its pictures, where the headers of all agree. images: rows of an index."""
    found: dict[str, tuple[str, str]] = {}
    mixed: set[str] = set()
    known = images.select("SeriesInstanceUID", "orientation").drop_nulls().unique()
    for series, orientation in known.iter_rows():
        letters = _letters(orientation)
        if found.setdefault(series, letters) != letters:
            mixed.add(series)
    return {
        series: letters for series, letters in found.items() if any(letters) and series not in mixed
    }


def _letters(orientation: Sequence[float]) -> tuple[str, str]:
    try:
        letters = edge_letters(np.array(orientation, np.float64))
    except ValueError:  # axes that are none
        return "", ""
    return letters.get("left", ""), letters.get("right", "")
