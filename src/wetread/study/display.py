"""study/display.py: a radiograph's slice becomes grey as a screen shows it, on one scale for all.

Stored values of two detectors have nothing in common; what their files say of presentation has.
"""

from dataclasses import dataclass

import numpy as np

from wetread.archive.dataset.luts import LookupTable, VoiWindow, read_voi
from wetread.archive.rejects import RejectError
from wetread.archive.types import Float32Array, Row
from wetread.study.slices import Slice
from wetread.study.voi import present

WHITE = 4095.0  # 12 bits: what a radiograph has, and a store's integers keep it


def hounsfield(row: Row, slice_: Slice) -> Float32Array:
    """Return (rows, columns) float32 HU of a CT slice; the row is not needed."""
    return slice_.values()


def display_grey(row: Row, slice_: Slice) -> Float32Array:
    """Return (rows, columns) float32 from 0, black, to WHITE, after VOI and MONOCHROME1.

    row: of the index. A file without a usable VOI is shown from its least to its greatest value.
    """
    shown = present(slice_.values(), usable_voi(row), row["PhotometricInterpretation"])
    return np.asarray(shown * WHITE, np.float32)


@dataclass(frozen=True)
class Presentation:
    """How a file wants to be shown.

    voi:     its table or window; None: its values are shown from the least to the greatest.
    because: why there is none, in words; "" where there is one.
    is_unusable: whether the file names one that cannot be used.
    """

    voi: VoiWindow | LookupTable | None
    because: str = ""
    is_unusable: bool = False


def presentation(row: Row) -> Presentation:
    """Read the file's window or VOI table, or why there is none to use (PS3.3 C.11.2)."""
    try:
        voi = read_voi(row)
    except RejectError as error:
        return Presentation(None, f"the file's window cannot be used: {error.detail}", True)
    return Presentation(voi, "the file names no window" if voi is None else "")


def usable_voi(row: Row) -> VoiWindow | LookupTable | None:
    """Read the file's window or VOI table; None where it names none that can be used."""
    return presentation(row).voi
