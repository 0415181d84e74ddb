"""outputs/masks.py: an image's mask as files that people open, its area and the patient's side."""

import gzip
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from wetread.archive.files.atomic import write_whole
from wetread.archive.types import BoolArray, Float64Array
from wetread.labels.rle import encode
from wetread.outputs.nifti import nifti_bytes
from wetread.outputs.optional import MissingExtraError
from wetread.outputs.pictures import png_bytes

PatientSide = Literal["right", "left", "both"]
SIDE_SHARE = 0.05  # of the mask's pixels: less than this across the middle is an edge, not a side
NO_NIBABEL = (
    "no NIfTI file: the package nibabel is not installed (pip install 'wetread[pictures]'; from a "
    "checkout pip install -e '.[pictures]')"
)


@dataclass(frozen=True)
class MaskReading:
    """A mask's area and side as values.

    image, finding: what it is of.
    area_mm2: None where the spacing is not known.
    side:     of the patient; None where the mask is empty.
    rle:      its text, labels.rle form "relative".
    files:    names of the files that were written.
    notes:    files that were not written, and why.
    """

    image: str
    finding: str
    area_px: int
    area_mm2: float | None
    side: PatientSide | None
    rle: str
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the fields as plain values, for JSON."""
        return asdict(self)


def write_mask(
    mask: BoolArray,
    folder: Path,
    image: str,
    finding: str,
    spacing_mm: tuple[float, float] | None = None,
    name: str | None = None,
) -> MaskReading:
    """Write a finding's mask (rows, columns) bool as folder/NAME.png, .rle and .nii.gz; return it
    as values.

    All are on the image's own grid: the picture has 0 and 255, the NIfTI volume 0 and 1. Without
    nibabel there is no NIfTI file, and the notes say so.
    spacing_mm: between rows and between columns. The competition's header speaks of the film
    before it was made smaller: whoever knows that gives None.
    name: of the files; None: the image's.
    """
    reading = describe_mask(mask, image, finding, spacing_mm)
    stem = name or image
    contents: dict[str, bytes] = {
        f"{stem}.png": png_bytes(np.where(mask, np.uint8(255), np.uint8(0))),
        f"{stem}.rle": f"{reading.rle}\n".encode(),
    }
    notes: tuple[str, ...] = ()
    try:
        volume = nifti_bytes(mask[None].astype(np.uint8), film_affine(spacing_mm))
        contents[f"{stem}.nii.gz"] = gzip.compress(volume, mtime=0)
    except MissingExtraError:
        notes = (NO_NIBABEL,)
    for file, content in contents.items():
        write_whole(folder / file, content)
    return replace(reading, files=tuple(contents), notes=notes)


def describe_mask(
    mask: BoolArray, image: str, finding: str, spacing_mm: tuple[float, float] | None = None
) -> MaskReading:
    """Return the area and side of a mask (rows, columns) bool; ValueError for any other array."""
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise ValueError(f"a mask is (rows, columns) bool, not {mask.shape} {mask.dtype}")
    area = int(np.count_nonzero(mask))
    area_mm2 = None if spacing_mm is None else area * math.prod(_checked(spacing_mm))
    return MaskReading(image, finding, area, area_mm2, patient_side(mask), encode(mask))


def patient_side(mask: BoolArray) -> PatientSide | None:
    """Return the patient's side that a mask (rows, columns) lies on, in a frontal film as hung.

    The patient's right is on the image's left. A side counts with a twentieth of the mask's pixels.
    None where the mask is empty.
    """
    by_column = np.count_nonzero(mask, axis=0)
    total = int(by_column.sum())
    if total == 0:
        return None
    columns = len(by_column)
    half = columns // 2
    middle = by_column[half] / 2 if columns % 2 else 0.0  # an odd middle column is of both halves
    image_left = float(by_column[:half].sum()) + middle
    shares = {"right": image_left / total, "left": 1.0 - image_left / total}
    if min(shares.values()) >= SIDE_SHARE:
        return "both"
    return "right" if shares["right"] > shares["left"] else "left"


def film_affine(spacing_mm: tuple[float, float] | None = None) -> Float64Array:
    """Return (4, 4) from index (0, row, column, 1) to LPS mm of a film in the frontal plane.

    Columns run to the patient's left, rows to the feet, the first pixel lies at the origin.
    Spacing 1 mm where it is not known.
    """
    rows_mm, columns_mm = (1.0, 1.0) if spacing_mm is None else _checked(spacing_mm)
    affine = np.zeros((4, 4))
    affine[1, 0], affine[2, 1], affine[0, 2], affine[3, 3] = -1.0, -rows_mm, columns_mm, 1.0
    return affine


def _checked(spacing_mm: tuple[float, float]) -> tuple[float, float]:
    if not all(math.isfinite(step) and step > 0 for step in spacing_mm):
        raise ValueError(
            f"spacing (rows, columns) {spacing_mm} mm; both are above 0. Give None if not known."
        )
    return spacing_mm
