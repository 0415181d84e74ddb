"""labels/mask_text.py: a mask as text, in whichever form, and as pixels. Reads no files.

A form is a name of labels/rle.py's FORMS, or one of these:

    box      x y width height of a rectangle, pixels; whole numbers or fractions. A pixel is inside
             where its center is; it may reach a pixel beyond the picture, which is cut off
    box_mm   the same in millimeters from the picture's upper left corner, until spacing is known
    picture  rows and columns of the mask that it was, and then runs in the form "relative"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from wetread.archive.types import BoolArray
from wetread.labels import rle
from wetread.labels.rle import RleError

BEYOND = 1.0  # pixel that a box may reach beyond its picture: rounding, not another picture
BOX, BOX_MM, PICTURE = "box", "box_mm", "picture"


def decode_masks(texts: Sequence[str], shape: tuple[int, int], form: str) -> BoolArray:
    """Decode the union of texts, (rows, columns) bool; no text marks nothing. RleError where one is
    no mask of this shape."""
    if form not in _SHAPES:
        return rle.decode_union(texts, shape, form)
    union = np.zeros(shape, np.bool_)
    for text in texts:
        union |= _SHAPES[form](text, shape)
    return union


def check_text(text: str, shape: tuple[int, int], form: str) -> None:
    """Raise RleError where a text is no mask of this shape."""
    if form in _SHAPES:
        _SHAPES[form](text, shape)
    else:
        rle.read_edges(text, shape[0] * shape[1], rle.find_rle_form(form))


def picture_text(mask: BoolArray) -> str:
    """Write a mask (rows, columns) as text of the form "picture"."""
    rows, columns = mask.shape
    return f"{rows} {columns} {rle.encode(mask)}"


def scale_box(text: str, row_mm: float, column_mm: float) -> str:
    """Turn a box in millimeters, the form "box_mm", into one in pixels."""
    x, y, width, height = read_box(text)
    return f"{x / column_mm:.6g} {y / row_mm:.6g} {width / column_mm:.6g} {height / row_mm:.6g}"


def read_box(text: str) -> tuple[float, float, float, float]:
    """Read x, y, width and height. RleError where they are no rectangle."""
    try:
        x, y, width, height = map(float, text.split())
    except ValueError:
        raise RleError("mask_not_numbers", f"{text[:40]!r} is no box of four numbers") from None
    if not np.isfinite([x, y, width, height]).all() or min(width, height) <= 0:
        raise RleError("mask_not_numbers", f"a box of {width:g} x {height:g} at {x:g}, {y:g}")
    return x, y, width, height


def _box(text: str, shape: tuple[int, int]) -> BoolArray:
    x, y, width, height = read_box(text)
    rows, columns = shape
    inside_x = _between(x, width, columns)
    inside_y = _between(y, height, rows)
    reach = min(x, y, columns - (x + width), rows - (y + height))
    if reach < -BEYOND or not inside_x.any() or not inside_y.any():
        raise RleError(
            "mask_outside",
            f"a box from {x:g}, {y:g} to {x + width:g}, {y + height:g} on {columns} columns and "
            f"{rows} rows",
        )
    return inside_y[:, None] & inside_x


def _between(first: float, length: float, count: int) -> BoolArray:
    """Whether the center of each of `count` pixels lies from `first` to `length` behind it."""
    centers = np.arange(count) + 0.5
    return np.asarray((centers >= first) & (centers < first + length))


def _picture(text: str, shape: tuple[int, int]) -> BoolArray:
    words = text.split(maxsplit=2)
    own = tuple(map(int, words[:2]))
    if own != shape:
        raise RleError(
            "mask_outside",
            f"a mask of {own[0]} x {own[1]} pixels, the image has {shape[0]} x {shape[1]}",
        )
    return rle.decode(words[2], shape)


_SHAPES: Mapping[str, Callable[[str, tuple[int, int]], BoolArray]] = {BOX: _box, PICTURE: _picture}
