"""archive/index/intercept.py: whether a slice's intercept is wrong, by header and pixels.

The competition of 2019 holds 12-bit signed values that the header calls unsigned, with an intercept
near 0: air, -1000 HU, reads as 3096.
"""

import numpy as np
import polars as pl

from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.pixels.stored_pixels import read_stored
from wetread.archive.rejects import RejectError
from wetread.archive.types import IntegerArray, Row

WRONG_INTERCEPT = "wrong_intercept"  # the note: study/slices.py repairs the values
RIGHT_INTERCEPT = "intercept confirmed on the pixels"
OPEN_INTERCEPT = "intercept not examined: the pixels cannot be read"
_SIGNATURE: dict[str, tuple[str | float | None, ...]] = {  # what each column may be; None: absent
    "Modality": ("CT",),
    "BitsStored": (12,),
    "PixelRepresentation": (0,),
    "RescaleSlope": (None, 1.0),
    "NumberOfFrames": (None, 1),
    "SamplesPerPixel": (None, 1),
}
_LEAST_INTERCEPT = -100.0  # above it, values that are stored unsigned hold no air
_CORNER = 16  # pixels a side: outside the field of view, or air


def has_signature(row: Row) -> bool:
    """Whether the header is that of a wrong intercept: CT, 12 unsigned bits, intercept near 0."""
    intercept = row.get("RescaleIntercept")
    if intercept is None or intercept <= _LEAST_INTERCEPT:
        return False
    return all(row.get(name) in allowed for name, allowed in _SIGNATURE.items())


def is_current(repair: bool) -> pl.Expr:
    """Select the rows of an earlier index that stand: with repair those whose pixels were examined
    or need not be; without, those that lack the note."""
    checked = pl.col("notes").list.contains(WRONG_INTERCEPT)
    if not repair:
        return ~checked.fill_null(False)
    for note in (RIGHT_INTERCEPT, OPEN_INTERCEPT):
        checked |= pl.col("notes").list.contains(note)
    same = [
        pl.col(name).is_in([value for value in allowed if value is not None])
        | (pl.col(name).is_null() if None in allowed else False)
        for name, allowed in _SIGNATURE.items()
    ]
    near = pl.col("RescaleIntercept") > _LEAST_INTERCEPT
    suspect = pl.all_horizontal(*same, near, pl.col("state") == "image")
    return ~suspect.fill_null(False) | checked.fill_null(False)


def is_wrapped(stored: IntegerArray) -> bool:
    """Whether the commonest value in the corners of stored (rows, columns) is 2048 to 4095, where
    air reads as 3096."""
    ends = (slice(None, _CORNER), slice(-_CORNER, None))
    corners = np.concatenate([stored[row, column].ravel() for row in ends for column in ends])
    return bool(np.bincount(corners).argmax() >= 1 << 11)


def intercept_note(row: Row) -> str | None:
    """Note whether a row's intercept is wrong; None where its header leaves no doubt.

    row: as `examine` makes it, a missing column is null. Pixels that cannot be read decide nothing,
    which is noted, too: the row was examined.
    """
    if not has_signature(row):
        return None
    try:
        wrong = is_wrapped(read_stored({name: row.get(name) for name in INDEX_SCHEMA}))
    except RejectError:
        return OPEN_INTERCEPT
    return WRONG_INTERCEPT if wrong else RIGHT_INTERCEPT
