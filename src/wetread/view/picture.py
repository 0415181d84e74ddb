"""view/picture.py: a slice and its neighbors become an 8-bit picture, through a mode.

A mode that sees one slice is a function of the value, so it is looked up in a table of all stored
values: the same pictures, several times as fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from wetread.archive.dataset.luts import LookupTable, VoiWindow
from wetread.archive.rejects import RejectError
from wetread.archive.types import UInt8Array
from wetread.study.boxes import PixelBox
from wetread.study.slices import Slice
from wetread.study.voi import present
from wetread.view.crop import AIR_HU, crop_and_resize
from wetread.view.mode import Mode, as_picture, mix_grays, window_slices

_TABLES = 8  # kept: a series has one, or one a rescale


@dataclass(frozen=True, eq=False)
class DisplaySlice:
    """A slice and what its header says of showing it.

    voi:         its window or table, for modes without windows of their own; None: full range.
    photometric: (0028,0004); MONOCHROME1 is inverted after the window.
    """

    slice: Slice
    voi: VoiWindow | LookupTable | None
    photometric: str | None


@dataclass(frozen=True)
class RenderSettings:
    """How slices become pictures: a mode; a crop, pixels; a side of the square, None: as it is."""

    mode: Mode
    box: PixelBox | None = None
    size: int | None = None


def render_picture(seen: Sequence[DisplaySlice], look: RenderSettings) -> UInt8Array:
    """(rows, columns) or (rows, columns, 3) uint8, red first, of the slices at mode.offsets."""
    mode, first = look.mode, seen[0]
    pointwise = mode.windows and mode.offsets == (0,) and not mode.slicewise
    if pointwise and look.size is None and first.slice.stored.dtype.itemsize <= 2:
        return _by_table(first, look)
    values = [_fitted(one.slice.values(), one, look) for one in seen]
    if mode.windows:
        grays = window_slices(values, mode, np)
        grays = [
            1 - gray if one.photometric == "MONOCHROME1" else gray
            for gray, one in zip(grays, _per_window(seen, mode), strict=True)
        ]
    else:
        grays = [
            np.float32(present(part, one.voi, one.photometric))
            for part, one in zip(values, seen, strict=True)
        ]
    return as_picture(mix_grays(grays, mode, np))


def _per_window(seen: Sequence[DisplaySlice], mode: Mode) -> list[DisplaySlice]:
    return [one for one in seen for _ in mode.windows]


def _fitted(values: np.ndarray, seen: DisplaySlice, look: RenderSettings) -> np.ndarray:
    """Cropped, then resized; beside the slice lies what is black."""
    if look.size is not None:
        outside = AIR_HU if seen.slice.unit == "HU" else _black(values, seen)
        return crop_and_resize(values, look.box, look.size, outside)
    return np.ascontiguousarray(crop_picture(values, look.box))


def _black(values: np.ndarray, seen: DisplaySlice) -> float:
    return float(values.max() if seen.photometric == "MONOCHROME1" else values.min())


def crop_picture(values: np.ndarray, box: PixelBox | None) -> np.ndarray:
    """(..., rows, columns): what of the box lies in the picture; RejectError where nothing does."""
    if box is None:
        return values
    row0, row1, column0, column1 = (max(edge, 0) for edge in box)
    inside: np.ndarray = values[..., row0:row1, column0:column1]
    if inside.size == 0:
        rows, columns = values.shape[-2:]
        detail = f"the crop {box} lies outside a picture of {rows} x {columns} pixels"
        raise RejectError("wrong_kind", detail)
    return inside


def _by_table(seen: DisplaySlice, look: RenderSettings) -> UInt8Array:
    one = seen.slice
    form = replace(one, stored=np.empty(0, one.stored.dtype), notes=())
    table = _table(
        one.stored.dtype.str, form.slope, form.intercept, form.padding, form.unit,
        seen.photometric == "MONOCHROME1", look.mode,
    )  # fmt: skip
    stored = np.ascontiguousarray(crop_picture(one.stored, look.box))
    found = table.take(stored.view(f"u{stored.dtype.itemsize}"))
    if look.mode.channels == 1:
        return np.asarray(found, np.uint8)
    four = found.view(np.uint8).reshape(*found.shape, 4)
    return np.asarray(cv2.cvtColor(four, cv2.COLOR_BGRA2BGR))  # drops the fourth, keeps the order


@lru_cache(maxsize=_TABLES)
def _table(
    dtype: str, slope: float, intercept: float, padding: tuple[int, int] | None, unit: str | None,
    inverted: bool, mode: Mode,
) -> np.ndarray:  # fmt: skip
    """The picture of every stored value: (2 ** bits,) uint8, or uint32 of red, green, blue, 0."""
    bits = np.dtype(dtype).itemsize * 8
    every = np.arange(1 << bits, dtype=f"u{bits // 8}").view(dtype).reshape(1, -1)
    values = Slice(every, slope, intercept, padding, unit).values()
    grays = window_slices([values], mode, np)
    picture = as_picture(mix_grays([1 - gray for gray in grays] if inverted else grays, mode, np))
    if picture.ndim == 2:
        return np.asarray(picture[0])
    four = np.concatenate([picture[0], np.zeros((1 << bits, 1), np.uint8)], axis=1)
    table: np.ndarray = np.ascontiguousarray(four).view(np.uint32)[:, 0]
    return table
