"""study/slices.py: a row of an Index becomes a slice of right values; the only way to pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wetread.archive.dataset.luts import LookupTable, read_modality_table
from wetread.archive.dataset.row_fields import MODALITY_TABLE
from wetread.archive.index.frames import frame_rows
from wetread.archive.index.intercept import WRONG_INTERCEPT
from wetread.archive.notes import name_and_detail, note, note_names
from wetread.archive.pixels.color import is_color
from wetread.archive.pixels.stored_pixels import read_pixels
from wetread.archive.rejects import RejectError
from wetread.archive.types import Float32Array, IntegerArray, Row
from wetread.study.hu import AIR_HU, padding_range, repaired_intercept, rescale, to_hu
from wetread.study.unit import ADVICE, Unit, read_unit

_NO_ENTRY = -1  # below every entry of a table: stands for padding


@dataclass(frozen=True, eq=False)
class Slice:
    """Stored integers with the rescale that turns them into values.

    stored:    (rows, columns) integers, masked and signed.
    slope, intercept: HU or gray = stored * slope + intercept.
    padding:   (low, high) stored values outside the field of view, both included; None: undeclared.
    unit:      "HU", a CT's Rescale Type, "grey", or None where nothing says: study/unit.py.
    notes:     what its pixels, or its unit, show, in the form of archive/notes.py: names of
               study/issue.py.
    """

    stored: IntegerArray
    slope: float
    intercept: float
    padding: tuple[int, int] | None
    unit: str | None
    notes: tuple[str, ...] = ()

    def values(self) -> Float32Array:
        """Rescale to values: (rows, columns) float32; HU outside the field of view are air."""
        if self.unit == "HU":
            return to_hu(self.stored, self.slope, self.intercept, self.padding)
        gray: Float32Array = self.stored.astype(np.float32) * np.float32(self.slope)
        gray += np.float32(self.intercept)
        return gray


def slice_from_row(row: Row) -> Slice:
    """Read the slice of one row, or of one frame's row. Raises RejectError where it has none."""
    if row.get("frame") is None and (row["NumberOfFrames"] or 1) > 1:
        frames = frame_rows(row)  # what is wrong with them is the better reason
        raise RejectError("wrong_kind", f"{len(frames)} frames in one file, one is wanted")
    pixels = read_pixels(row)
    slice_ = _slice(pixels.stored, row)
    known = note_names(row["notes"])
    shown = [text for text in pixels.notes if name_and_detail(text)[0] not in known]
    return replace(slice_, notes=(*slice_.notes, *shown)) if shown else slice_


def _slice(stored: IntegerArray, row: Row) -> Slice:
    """Make the slice of one row's stored values (rows, columns). Raises RejectError."""
    if is_color(row):
        return Slice(stored, 1.0, 0.0, None, "grey", ("colour_to_grey",))
    padding, notes = padding_range(row), row["notes"] or ()
    if MODALITY_TABLE in notes and (table := read_modality_table(row)) is not None:
        return _by_table(stored, table, padding, read_unit(row, table.kind))
    unit = read_unit({**row} | {"notes": [text for text in notes if text != MODALITY_TABLE]})
    if WRONG_INTERCEPT in notes and unit.name == "HU":
        hu, padding = repaired_intercept(stored, padding)
        return Slice(hu, 1.0, 0.0, padding, "HU", ("intercept_repaired", *_named(unit)))
    slope, intercept = rescale(row)
    ends = np.array([stored.min(), stored.max()], np.float64) * slope + intercept
    if np.abs(ends).max() > np.finfo(np.float32).max:
        detail = f"slope {slope} and intercept {intercept} give values beyond float32"
        raise RejectError("bad_number", detail)
    undeclared = unit.name == "HU" and padding is None and ends.min() < AIR_HU
    return Slice(
        stored=stored,
        slope=slope,
        intercept=intercept,
        padding=padding,
        unit=unit.name,
        notes=(*_named(unit), *(("padding_undeclared",) if undeclared else ())),
    )


def require_hu(row: Row, slice_: Slice) -> None:
    """Raise RejectError, with the header's reason, unless the values are Hounsfield units."""
    if slice_.unit == "HU":
        return
    named = dict(map(name_and_detail, slice_.notes))
    reason = next((name for name in named if name in ("no_rescale", "not_hu")), "not_hu")
    detail = named.get(reason) or read_unit(row).detail or f"values in {slice_.unit or 'no unit'}"
    raise RejectError(reason, f"{detail}; {ADVICE}")


def _by_table(
    stored: IntegerArray, table: LookupTable, padding: tuple[int, int] | None, unit: Unit
) -> Slice:
    """Make the slice whose values are a table's entries, int32; padding gets a value of its own."""
    entries = table.apply(stored).astype(np.int32)
    if padding is not None:
        entries[(stored >= padding[0]) & (stored <= padding[1])] = _NO_ENTRY
        padding = (_NO_ENTRY, _NO_ENTRY)
    notes = () if unit.issue is None else (note(unit.issue, unit.detail),)
    return Slice(entries, 1.0, 0.0, padding, unit.name, notes)


def _named(unit: Unit) -> tuple[str, ...]:
    return () if unit.issue is None else (unit.issue,)
