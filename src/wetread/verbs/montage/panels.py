"""verbs/montage/panels.py: one panel of a montage: which slice, in which window, of which
values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from wetread.archive.pixels.stored_pixels import read_stored
from wetread.archive.rejects import RejectError
from wetread.outputs.pictures import resized
from wetread.study.display import WHITE, display_grey
from wetread.study.hu import padding_range, published_repair, rescale, to_hu
from wetread.study.slices import require_hu, slice_from_row
from wetread.study.unit import is_ct
from wetread.study.voi import present
from wetread.view.mode import apply_mode, as_picture, find_mode, mix_grays

Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class PanelRequest:
    """A panel to be made: rows of the index at the mode's offsets, and the words below it.

    values: a name of VALUES. mode: "" shows the values from their least to their greatest.
    rows:   none where there is nothing to show.
    """

    rows: tuple[Row, ...]
    mode: str
    lines: tuple[str, ...]
    values: str = "read"
    size: int = 256


def rows_around(rows: pl.DataFrame, at: int, mode: str) -> tuple[Row, ...]:
    """The rows that a mode sees of the slice; where the series ends, or another shape begins, the
    slice itself."""
    own = rows.row(at, named=True)
    near = []
    for step in find_mode(mode).offsets:
        row = rows.row(min(max(at + step, 0), rows.height - 1), named=True)
        same = (row["Rows"], row["Columns"]) == (own["Rows"], own["Columns"])
        near.append(row if same else own)
    return tuple(near)


def render_panel(request: PanelRequest) -> np.ndarray | RejectError | None:
    """The shot's picture, (H, W) or (H, W, 3) uint8, red first; the reason where it cannot be."""
    try:
        return _picture(request) if request.rows else None
    except RejectError as reject:
        return reject


def _picture(request: PanelRequest) -> np.ndarray:
    if not request.mode:
        values = VALUES[request.values](request.rows[0])
        return as_picture([resized(present(values, None, None), request.size)])
    mode = find_mode(request.mode)
    if mode.windows:
        slices = [VALUES[request.values](row) for row in request.rows]
        if request.values == "read":
            return as_picture(apply_mode([resized(one, request.size) for one in slices], mode))
        # Values that are wrapped around have no mean: they are windowed before they shrink.
        return as_picture([resized(one, request.size) for one in apply_mode(slices, mode)])
    greys = [
        resized(display_grey(row, slice_from_row(row)) / WHITE, request.size)
        for row in request.rows
    ]
    return as_picture(mix_grays(greys, mode, np))


def _read(row: Row) -> np.ndarray:
    """HU as they are read: repaired, where a repair is noted. RejectError for a CT in no HU."""
    one = slice_from_row(row)
    if is_ct(row):
        require_hu(row, one)
    return one.values()


def _stored(row: Row) -> np.ndarray:
    """The integers in the file."""
    return read_stored(row).astype(np.float32)


def _header(row: Row) -> np.ndarray:
    """HU as the header alone has them."""
    slope, intercept = rescale(row)
    return to_hu(read_stored(row), slope, intercept, padding_range(row))


def _published(row: Row) -> np.ndarray:
    """HU by the repair that the competition's entries share."""
    return published_repair(read_stored(row)).astype(np.float32)


VALUES: dict[str, Callable[[Row], np.ndarray]] = {
    "read": _read,
    "stored": _stored,
    "header": _header,
    "published": _published,
}
