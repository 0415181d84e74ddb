"""study/unit.py: what the values of a slice mean, by its header: HU only where it says so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from wetread.archive.dataset.row_fields import MODALITY_TABLE, MULTI_ENERGY
from wetread.archive.types import Row
from wetread.study.header_content import SECONDARY_CAPTURE

TAKEN_AS_HU = "taken_as_hu"  # the note: someone who knows says so
UNIT_COLUMNS = (  # of the index: read by unit_of
    *("Modality", "SOPClassUID", "RescaleSlope", "RescaleIntercept", "RescaleType", "notes"),
)
ADVICE = "Hounsfield units are needed; where these are, say so: `as_hu`"
_CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"  # and its enhanced kinds below it
UNITLESS = "stored value"  # how what has no unit is called on a screen
_HOUNSFIELD = frozenset({"HU", "HOUNSFIELD", "HOUNSFIELD UNIT", "HOUNSFIELD UNITS"})
_UNSPECIFIED = frozenset({"US", "UNSPECIFIED"})
_PLAIN = re.compile(r"[A-Za-z0-9_%^/*. -]{1,16}")  # what may stand as a unit on a screen


@dataclass(frozen=True)
class Unit:
    """The unit of a slice's values.

    name:   "HU", the Rescale Type, "grey" (pictures that have no unit of their own) or None.
    issue:  a name of study/issue.py where a CT is not in HU, or is taken so; else None.
    detail: element and value that say so; "" without an issue.
    """

    name: str | None
    issue: str | None = None
    detail: str = ""


def read_unit(row: Row, table_type: str | None = None) -> Unit:
    """Read the unit of one row of the index, or of a frame's row.

    table_type: Modality LUT Type, of values that go through the file's table; None: not read yet.
    """
    stated = _stated(row, table_type)
    taken = TAKEN_AS_HU in (row["notes"] or ()) and stated.name != "HU"
    if not taken:
        return stated
    return Unit("HU", TAKEN_AS_HU, stated.detail or f"(0008,0060) Modality is {row['Modality']}")


def _stated(row: Row, table_type: str | None) -> Unit:
    """Read the unit that the header states (PS3.3 C.7.6.3, C.8.2.1, C.8.15.3.10, C.11.1.1.2)."""
    by_table = MODALITY_TABLE in (row["notes"] or ())
    tag = "(0028,3004) ModalityLUTType" if by_table else "(0028,1054) RescaleType"
    kind = ((table_type if by_table else row["RescaleType"]) or "").strip()
    if not is_ct(row):
        own = _named(kind)
        return Unit("grey" if own in (None, "HU") else own)
    if kind.upper() in _HOUNSFIELD and (by_table or _has_rescale(row)):
        return Unit("HU")
    if kind and kind.upper() not in _HOUNSFIELD:
        return Unit(
            _named(kind) or ("grey" if by_table else None),
            "not_hu",
            f"{tag} is {_named(kind) or _quoted(kind)}",
        )
    if by_table:
        if table_type is None:
            return Unit("HU")  # the table tells, where it is read
        return Unit("grey", "not_hu", f"{tag} is absent")
    if not _has_rescale(row):
        lacking = [name for name in ("RescaleSlope", "RescaleIntercept") if row[name] is None]
        return Unit(None, "no_rescale", f"{' and '.join(lacking)} absent in a CT")
    if MULTI_ENERGY in (row["notes"] or ()):
        return Unit(None, "not_hu", f"{tag} is absent in a multi-energy CT, which needs it")
    if (row["SOPClassUID"] or "").startswith(SECONDARY_CAPTURE) and _is_identity(row):
        return Unit(None, "no_rescale", f"slope 1, intercept 0 and no {tag} in a secondary capture")
    return Unit("HU")  # of a CT image the type may be absent where it is HU


def is_ct(row: Row) -> bool:
    """Whether an image calls itself a CT; one without a modality by its SOP class."""
    if row["Modality"] is not None:
        return bool(row["Modality"] == "CT")
    sop_class = row["SOPClassUID"] or ""
    return sop_class == _CT_CLASS or sop_class.startswith(f"{_CT_CLASS}.")


def read_units(rows: pl.DataFrame) -> list[str | None]:
    """Read the unit of each row of the index, as far as headers name it."""
    return [read_unit(row).name for row in rows.select(UNIT_COLUMNS).iter_rows(named=True)]


def common_unit(units: Iterable[str | None]) -> str | None:
    """Return the unit that all have; None where they differ, or none is known."""
    distinct = set(units)
    return distinct.pop() if len(distinct) == 1 else None


def note_taken_as_hu(images: pl.DataFrame) -> pl.DataFrame:
    """Add the note to rows of an index that CT, and rows without a modality, are HU, whatever their
    headers say of the unit."""
    notes = pl.col("notes").fill_null([])
    with_note = pl.concat_list(notes, pl.lit(TAKEN_AS_HU))
    wanted = pl.col("Modality").is_null() | (pl.col("Modality") == "CT")
    return images.with_columns(
        pl.when(wanted).then(with_note).otherwise(pl.col("notes")).alias("notes")
    )


def _named(kind: str) -> str | None:
    """Read a Rescale Type as a unit; None where it names none, or cannot be one."""
    kind = kind.strip()
    if kind.upper() in _HOUNSFIELD:
        return "HU"
    return kind if kind.upper() not in _UNSPECIFIED and _PLAIN.fullmatch(kind) else None


def _quoted(kind: str) -> str:
    return kind if _PLAIN.fullmatch(kind) else f"{len(kind)} characters that name no unit"


def _has_rescale(row: Row) -> bool:
    return row["RescaleSlope"] is not None and row["RescaleIntercept"] is not None


def _is_identity(row: Row) -> bool:
    return bool(row["RescaleSlope"] == 1.0 and row["RescaleIntercept"] == 0.0)
