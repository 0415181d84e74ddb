"""study/slices.py: a row of an Index becomes a slice of right values; the only way to pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wetread.archive.pixels import read_stored
from wetread.archive.rejects import RejectError
from wetread.study.hu import AIR_HU, padding_range, rescale, to_hu


@dataclass(frozen=True, eq=False)
class Slice:
    """Stored integers and what makes values of them.

    stored:    (rows, columns) integers, masked and signed.
    slope, intercept: HU or grey = stored * slope + intercept.
    padding:   (low, high) stored values outside the field of view, both included; None: undeclared.
    unit:      "HU" (CT) or "grey" (all else).
    notes:     names of study/issues.py that only the pixels show.
    """

    stored: np.ndarray
    slope: float
    intercept: float
    padding: tuple[int, int] | None
    unit: str
    notes: tuple[str, ...] = ()

    def values(self) -> np.ndarray:
        """(rows, columns) float32; HU outside the field of view are air."""
        if self.unit == "HU":
            return to_hu(self.stored, self.slope, self.intercept, self.padding)
        grey: np.ndarray = self.stored.astype(np.float32) * np.float32(self.slope)
        return grey + np.float32(self.intercept)


def read_slice(row: Mapping[str, Any]) -> Slice:
    """The slice of one row. Raises RejectError where it has none, or more than one frame."""
    stored = read_stored(row)
    if stored.ndim != 2:
        raise RejectError("wrong_kind", f"{len(stored)} frames in one file, one is wanted")
    slope, intercept = rescale(row)
    padding = padding_range(row)
    is_ct = row["Modality"] == "CT"
    ends = np.array([stored.min(), stored.max()], np.float64) * slope + intercept
    undeclared = is_ct and padding is None and ends.min() < AIR_HU
    return Slice(
        stored=stored,
        slope=slope,
        intercept=intercept,
        padding=padding,
        unit="HU" if is_ct else "grey",
        notes=("padding_undeclared",) if undeclared else (),
    )
