"""study/display.py: a radiograph's slice becomes grey as a screen shows it, on one scale for all.

Stored values of two detectors have nothing in common; what their files say of presentation has.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from wetread.archive.luts import read_voi
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
    try:
        voi = read_voi(row)
    except RejectError:
        voi = None
    shown = present(one.values(), voi, row["PhotometricInterpretation"])
    return np.asarray(shown * WHITE, np.float32)
