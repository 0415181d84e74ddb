"""study/display.py: a radiograph's slice becomes grey as a screen shows it, on one scale for all.

Stored values of two detectors have nothing in common; what their files say of presentation has.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from wetread.archive.luts import Table, Window, read_voi
from wetread.archive.rejects import RejectError
from wetread.study.slices import Slice
from wetread.study.voi import present

WHITE = 4095.0  # 12 bits: what a radiograph has, and a store's integers keep it


def hounsfield(row: Mapping[str, Any], one: Slice) -> np.ndarray:
    """(rows, columns) float32 HU of a CT slice; the row is not needed."""
    return one.values()


def display_grey(row: Mapping[str, Any], one: Slice) -> np.ndarray:
    """(rows, columns) float32 from 0, black, to WHITE: VOI and MONOCHROME1 are undone.

    row: of the index. A file without a usable VOI is shown from its least to its greatest value.
    """
    shown = present(one.values(), usable_voi(row), row["PhotometricInterpretation"])
    return np.asarray(shown * WHITE, np.float32)


def usable_voi(row: Mapping[str, Any]) -> Window | Table | None:
    """What the file says of its presentation; None where it says nothing, or nothing that can be
    (PS3.3 C.11.2: a width below 1, a table whose parts disagree)."""
    try:
        return read_voi(row)
    except RejectError:
        return None
