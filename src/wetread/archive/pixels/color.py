"""archive/pixels/color.py: color pixels become gray (ITU-R BT.601, PS3.3 C.7.6.3.1.2)."""

from io import BytesIO

import numpy as np
from pydicom.filereader import read_dataset
from pydicom.pixels.processing import apply_color_lut

from wetread.archive.dataset.header import Header, data_set_prefix
from wetread.archive.rejects import RejectError
from wetread.archive.types import IntegerArray, ReadAt, Row

PALETTE = "PALETTE COLOR"
# Photometric interpretation: what the 3 samples of a decoded pixel are.
COLOR_FORMS = {
    "RGB": "RGB",
    "YBR_FULL": "YBR",
    "YBR_FULL_422": "YBR",
    "YBR_RCT": "RGB",  # JPEG 2000 turns its own colour transforms back
    "YBR_ICT": "RGB",
}
_LUMA = np.array([0.299, 0.587, 0.114])
_RGB_FROM_YBR = ((1, 0, 1.402), (1, -0.344136, -0.714136), (1, 1.772, 0))


def is_color(row: Row) -> bool:
    """Whether a row's pixels are in color: several samples, or numbers of a palette."""
    return (row["SamplesPerPixel"] or 1) != 1 or row["PhotometricInterpretation"] == PALETTE


def check_color(row: Row) -> None:
    """Raise RejectError for a color CT, which is a capture, and for unknown color forms."""
    if not is_color(row):
        return
    form, samples = row["PhotometricInterpretation"], row["SamplesPerPixel"] or 1
    declared = (
        f"(0028,0002) SamplesPerPixel is {samples}, (0028,0004) PhotometricInterpretation {form}"
    )
    if row["Modality"] == "CT":
        detail = f"{declared}: a CT in colour is a capture, not Hounsfield units"
        raise RejectError("wrong_kind", detail)
    if samples != (1 if form == PALETTE else 3) or form not in (PALETTE, *COLOR_FORMS):
        detail = f"{declared}, which is not read together"
        raise RejectError("wrong_kind", detail)


def rgb_to_gray(samples: IntegerArray) -> IntegerArray:
    """Weigh red, green and blue to luma; samples: any shape that ends in (rows, columns, C), C at
    least 3; returns it without C, the same type."""
    weighed: IntegerArray = np.rint(samples[..., :3].astype(np.float64) @ _LUMA)
    return weighed.astype(samples.dtype)


def ybr_to_rgb(samples: IntegerArray, bits: int) -> IntegerArray:
    """Turn luma and two chromas of `bits` bits, (..., 3), into RGB of the same shape and type.

    Colors outside the range of RGB are clipped, as a screen would.
    """
    centered = samples.astype(np.float64) - (0, 1 << (bits - 1), 1 << (bits - 1))
    mixed: IntegerArray = np.rint(centered @ np.transpose(_RGB_FROM_YBR))
    inside: IntegerArray = np.clip(mixed, 0, (1 << bits) - 1)
    return inside.astype(samples.dtype)


def samples_to_gray(samples: IntegerArray, row: Row) -> IntegerArray:
    """Turn samples in the row's photometric interpretation into gray; samples: any shape that ends
    in (rows, columns, 3); returns it without the 3."""
    if COLOR_FORMS[row["PhotometricInterpretation"]] == "YBR":
        samples = ybr_to_rgb(samples, row["BitsStored"])
    return rgb_to_gray(samples)


def palette_to_gray(
    stored: IntegerArray, read_at: ReadAt, size: int, header: Header
) -> IntegerArray:
    """Turn numbers of a palette, any shape, into the gray of their colors (PS3.3 C.7.6.3.1.5)."""
    data, implicit, little = data_set_prefix(read_at, size, header)
    try:
        found = read_dataset(BytesIO(data), implicit, little)
        return rgb_to_gray(apply_color_lut(stored, found))
    except Exception as error:  # pydicom raises what it likes
        detail = f"the colour palette cannot be read: {type(error).__name__}"
        raise RejectError("bad_element", detail) from error
