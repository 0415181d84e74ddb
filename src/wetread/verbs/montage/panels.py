"""verbs/montage/panels.py: one panel of a montage: a slice, its values, and a window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.archive.pixels.stored_pixels import read_stored
from wetread.archive.rejects import RejectError
from wetread.archive.types import Float32Array, Row, UInt8Array
from wetread.outputs.pictures import resized
from wetread.study.display import WHITE, display_grey
from wetread.study.hu import padding_range, published_repair, rescale, to_hu
from wetread.study.slices import require_hu, slice_from_row
from wetread.study.unit import is_ct
from wetread.study.voi import present
from wetread.view.mode import apply_mode, as_picture, find_mode, mix_grays


@dataclass(frozen=True, eq=False)
class PanelRequest:
    """A panel to be rendered: rows of the index at the mode's offsets, and the lines below it.

    rows:   none where there is nothing to show.
    mode:   "" shows the values from their least to their greatest.
    values: a name of READERS. size: pixels of the longer side.
    """

    rows: tuple[Row, ...]
    mode: str
    lines: tuple[str, ...]
    values: str = "read"
    size: int = 256


def rows_around(rows: pl.DataFrame, at: int, mode: str) -> tuple[Row, ...]:
    """Return the rows that a mode shows of the slice at that place of its series.

    Where the series ends, or another shape begins, the slice itself stands in.
    """
    own = rows.row(at, named=True)
    near = []
    for step in find_mode(mode).offsets:
        row = rows.row(min(max(at + step, 0), rows.height - 1), named=True)
        same = (row["Rows"], row["Columns"]) == (own["Rows"], own["Columns"])
        near.append(row if same else own)
    return tuple(near)


def render_panel(request: PanelRequest) -> UInt8Array | RejectError | None:
    """Return the picture of a request, (H, W) or (H, W, 3) uint8, red first.

    None where there is nothing to show; the RejectError where the slice cannot be read.
    """
    try:
        return _picture(request) if request.rows else None
    except RejectError as reject:
        return reject


def _picture(request: PanelRequest) -> UInt8Array:
    if not request.mode:
        values = READERS[request.values](request.rows[0])
        return as_picture([resized(present(values, None, None), request.size)])
    mode = find_mode(request.mode)
    if mode.windows:
        slices = [READERS[request.values](row) for row in request.rows]
        if request.values == "read":
            return as_picture(
                apply_mode([resized(values, request.size) for values in slices], mode)
            )
        # Values that are wrapped around have no mean: they are windowed before they shrink.
        return as_picture([resized(values, request.size) for values in apply_mode(slices, mode)])
    grays = [
        resized(display_grey(row, slice_from_row(row)) / WHITE, request.size)
        for row in request.rows
    ]
    return as_picture(mix_grays(grays, mode, np))


def _read(row: Row) -> Float32Array:
    """Return HU, repaired where a repair is noted. RejectError for a CT in another unit."""
    slice_ = slice_from_row(row)
    if is_ct(row):
        require_hu(row, slice_)
    return slice_.values()


def _stored(row: Row) -> Float32Array:
    """Return the integers in the file."""
    return read_stored(row).astype(np.float32)


def _header(row: Row) -> Float32Array:
    """Return HU as the header alone has them."""
    slope, intercept = rescale(row)
    return to_hu(read_stored(row), slope, intercept, padding_range(row))


def _published(row: Row) -> Float32Array:
    """Return HU by the repair that the competition's entries share."""
    return published_repair(read_stored(row)).astype(np.float32)


READERS: dict[str, Callable[[Row], Float32Array]] = {
    "read": _read,
    "stored": _stored,
    "header": _header,
    "published": _published,
}
