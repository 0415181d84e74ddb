"""study/voi.py: values become what a screen shows: VOI, then the inversion of MONOCHROME1.

PS3.3 C.11.2 and C.7.6.3.1.2; float64. No file is read here, and no network sees what comes out:
its windows are those of view/window.py.
"""

import numpy as np

from wetread.archive.dataset.luts import VOI_FUNCTIONS, LookupTable, VoiWindow
from wetread.archive.types import Float64Array, NumberArray


def apply_window(
    values: NumberArray, window: VoiWindow, low: float = 0.0, high: float = 1.0
) -> Float64Array:
    """Map values in modality units, any shape, to float64 from low to high, the same shape.

    Raises ValueError for a width or a function that the standard does not have.
    """
    x, center, width = np.asarray(values, np.float64), window.center, window.width
    least = 1.0 if window.function == "LINEAR" else 0.0
    if window.function not in VOI_FUNCTIONS:
        raise ValueError(f"VOI function {window.function!r}; known: {', '.join(VOI_FUNCTIONS)}")
    if not np.isfinite(center) or not np.isfinite(width) or width < least or width == 0.0:
        raise ValueError(
            f"(0028,1050) WindowCenter {center} and (0028,1051) WindowWidth {width}: "
            f"{window.function} needs a width {'of at least 1' if least else 'above 0'}"
        )
    if window.function == "SIGMOID":
        with np.errstate(over="ignore"):  # far below the center exp is inf, and the result low
            curved: Float64Array = (high - low) / (1.0 + np.exp(-4.0 * (x - center) / width)) + low
        return curved
    if window.function == "LINEAR":
        center, width = center - 0.5, width - 1.0
    below, above = x <= center - width / 2, x > center + width / 2
    with np.errstate(divide="ignore", invalid="ignore"):  # a width of 1 is a step, nothing between
        line = np.clip((x - center) / width + 0.5, 0.0, 1.0) * (high - low) + low
    return np.where(below, low, np.where(above, high, line))


def apply_table(values: NumberArray, table: LookupTable) -> Float64Array:
    """Map values in modality units, any shape, to float64 from 0 to 1 by a VOI LUT."""
    shown: Float64Array = table.apply(values) / float((1 << table.bits) - 1)
    return shown


def full_range(values: NumberArray) -> VoiWindow:
    """Span a window from the least to the greatest of values, any shape, for a picture that names
    none."""
    low, high = float(np.min(values)), float(np.max(values))
    return VoiWindow((low + high) / 2, max(high - low, 1.0), "LINEAR_EXACT")


def present(
    values: NumberArray, voi: VoiWindow | LookupTable | None, photometric: str | None
) -> Float64Array:
    """Map values, any shape, to gray for the eye: float64 from 0 (black) to 1 (white), same shape.

    voi:         as the file names it (archive/dataset/luts.py: read_voi); None: the full range.
    photometric: (0028,0004); MONOCHROME1 shows its least value white, inverted after VOI.
    """
    if isinstance(voi, LookupTable):
        shown = apply_table(values, voi)
    else:
        shown = apply_window(values, voi or full_range(values))
    return 1.0 - shown if photometric == "MONOCHROME1" else shown
