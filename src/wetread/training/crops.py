"""training/crops.py: the crops of a series that a task's networks are shown, each in its store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wetread.archive.types import BoolArray, Float32Array
from wetread.store.pack_series import FindBoxes

FindInside = Callable[[Float32Array], BoolArray]  # values (rows, columns) -> bool of that shape


@dataclass(frozen=True)
class Crops:
    """The crops of a series, packed side by side.

    stores:     names of the folders that hold a crop each, the first of them "store".
    find_boxes: values (Z, rows, columns) of a series -> the crops, in source pixels.
    """

    stores: tuple[str, ...]
    find_boxes: FindBoxes
