"""pages/montages.py: many pictures as one, gray and in color, each with lines below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wetread.archive.types import UInt8Array
from wetread.outputs.pictures import montage, with_text


@dataclass(frozen=True, eq=False)
class MontagePanel:
    """A picture, (H, W) or (H, W, 3; red, green, blue) uint8, and the lines below it.

    picture: None stands for one that cannot be shown; the lines say why.
    """

    picture: UInt8Array | None
    lines: tuple[str, ...]


def montage_grid(panels: Sequence[MontagePanel], columns: int) -> UInt8Array:
    """Return the panels in rows of `columns`, in order, each in the middle of its cell.

    (H, W) uint8, or (H, W, 3), blue first, where a panel is in color; cells have the size of the
    largest panel.
    """
    shown = [panel.picture for panel in panels if panel.picture is not None]
    height = max((picture.shape[0] for picture in shown), default=64)
    width = max((picture.shape[1] for picture in shown), default=256)
    channels = (3,) if any(picture.ndim == 3 for picture in shown) else ()
    most = max((len(panel.lines) for panel in panels), default=0)
    cells = []
    for panel in panels:
        cell = np.zeros((height, width, *channels), np.uint8)
        if panel.picture is not None:
            rows, wide = panel.picture.shape[:2]
            top, left = (height - rows) // 2, (width - wide) // 2
            cell[top : top + rows, left : left + wide] = _blue_first(panel.picture, bool(channels))
        cells.append(with_text(cell, (*panel.lines, *[""] * (most - len(panel.lines)))))
    return montage(cells, columns)


def _blue_first(picture: UInt8Array, in_color: bool) -> UInt8Array:
    """Return a picture as OpenCV orders it; gray three times where the others are in color."""
    if picture.ndim == 3:
        return picture[:, :, ::-1]
    return picture[:, :, None] if in_color else picture
