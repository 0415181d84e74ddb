"""view/picture.py: a slice and its neighbors become an 8-bit picture, through a mode.

A mode of one slice is a function of the value, so it is taken from a table of all stored
values: the same pictures, several times as fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.archive.dataset.luts import LookupTable, VoiWindow
from wetread.archive.rejects import RejectError
from wetread.archive.types import Float32Array, UInt8Array
from wetread.study.boxes import PixelBox
from wetread.study.crop import crop_and_resize
from wetread.study.hu import AIR_HU
from wetread.study.slices import Slice
from wetread.study.voi import present
from wetread.view.mode import Mode, as_picture, mix_grays, window_slices

Scalar = TypeVar("Scalar", bound=np.generic)
_TABLES = 8  # kept: a series has one, or one a rescale


@dataclass(frozen=True, eq=False)
class DisplaySlice:
    """A slice and how its header wants it shown.

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


def render_picture(slices: Sequence[DisplaySlice], settings: RenderSettings) -> UInt8Array:
    """Render the slices at mode.offsets: (rows, columns) or (rows, columns, 3) uint8, red first.

    Raises RejectError where the crop lies outside the picture.
    """
    mode, first = settings.mode, slices[0]
    pointwise = mode.windows and mode.offsets == (0,) and not mode.slicewise
    if pointwise and settings.size is None and first.slice.stored.dtype.itemsize <= 2:
        return _by_table(first, settings)
    values = [_fitted(near.slice.values(), near, settings) for near in slices]
    if mode.windows:
        grays = window_slices(values, mode, np)
        grays = [
            1 - gray if near.photometric == "MONOCHROME1" else gray
            for gray, near in zip(grays, _per_window(slices, mode), strict=True)
        ]
    else:
        grays = [
            np.float32(present(part, near.voi, near.photometric))
            for part, near in zip(values, slices, strict=True)
        ]
    return as_picture(mix_grays(grays, mode, np))


def _per_window(slices: Sequence[DisplaySlice], mode: Mode) -> list[DisplaySlice]:
    return [near for near in slices for _ in mode.windows]


def _fitted(values: Float32Array, display: DisplaySlice, settings: RenderSettings) -> Float32Array:
    """Crop values (rows, columns), then resize them; outside the slice is black."""
    if settings.size is not None:
        outside = AIR_HU if display.slice.unit == "HU" else _black(values, display)
        return crop_and_resize(values, settings.box, settings.size, outside)
    return np.ascontiguousarray(crop_picture(values, settings.box))


def _black(values: Float32Array, display: DisplaySlice) -> float:
    return float(values.max() if display.photometric == "MONOCHROME1" else values.min())


def crop_picture(values: NDArray[Scalar], box: PixelBox | None) -> NDArray[Scalar]:
    """Cut out what of the box lies in values, any shape (..., rows, columns).

    RejectError where nothing does.
    """
    if box is None:
        return values
    row0, row1, column0, column1 = (max(edge, 0) for edge in box)
    inside = values[..., row0:row1, column0:column1]
    if inside.size == 0:
        rows, columns = values.shape[-2:]
        detail = f"the crop {box} lies outside a picture of {rows} x {columns} pixels"
        raise RejectError("wrong_kind", detail)
    return inside


@dataclass(frozen=True)
class _TableKey:
    """Key of a table of pictures of stored values: all that they depend on."""

    dtype: str
    slope: float
    intercept: float
    padding: tuple[int, int] | None
    unit: str | None
    inverted: bool
    mode: Mode


def _by_table(display: DisplaySlice, settings: RenderSettings) -> UInt8Array:
    """Render a slice by looking its stored values up: (rows, columns) or (rows, columns, 3)
    uint8."""
    source = display.slice
    # As a slice without pixels or notes, whose rescale may differ from the header's.
    form = replace(source, stored=np.empty(0, source.stored.dtype), notes=())
    table = _table(
        _TableKey(
            source.stored.dtype.str,
            form.slope,
            form.intercept,
            form.padding,
            form.unit,
            display.photometric == "MONOCHROME1",
            settings.mode,
        )
    )
    stored = np.ascontiguousarray(crop_picture(source.stored, settings.box))
    found = table.take(stored.view(f"u{stored.dtype.itemsize}"))
    if settings.mode.channels == 1:
        return np.asarray(found, np.uint8)
    four = found.view(np.uint8).reshape(*found.shape, 4)
    return np.asarray(cv2.cvtColor(four, cv2.COLOR_BGRA2BGR))  # drops the fourth, keeps the order


@lru_cache(maxsize=_TABLES)
def _table(key: _TableKey) -> NDArray[np.uint8] | NDArray[np.uint32]:
    """Return the picture of every stored value: (2 ** bits,) uint8, or uint32 of red, green, blue,
    0."""
    bits = np.dtype(key.dtype).itemsize * 8
    every = np.arange(1 << bits, dtype=f"u{bits // 8}").view(key.dtype).reshape(1, -1)
    values = Slice(every, key.slope, key.intercept, key.padding, key.unit).values()
    grays = window_slices([values], key.mode, np)
    picture = as_picture(
        mix_grays([1 - gray for gray in grays] if key.inverted else grays, key.mode, np)
    )
    if picture.ndim == 2:
        return np.asarray(picture[0], np.uint8)
    four = np.concatenate([picture[0], np.zeros((1 << bits, 1), np.uint8)], axis=1)
    return np.ascontiguousarray(four).view(np.uint32)[:, 0]
