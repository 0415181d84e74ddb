"""view/uncrop.py: a map of a view goes back onto the pixels of the image it was cut from."""

import cv2
import numpy as np

from wetread.archive.types import Float32Array
from wetread.study.boxes import PixelBox


def uncrop(
    probability: Float32Array,
    box: PixelBox | None,
    shape: tuple[int, int],
    *,
    flipped: bool = False,
) -> Float32Array:
    """Undo crop_and_resize: a view's map (size, size) on the image's grid (rows, columns).

    box:     the box that crop_and_resize was given (None: the whole image); pixels of the image.
    flipped: whether the view was mirrored left to right after it was cut.
    The map may be coarser than the view was (a network's stride): its pixels share the square
    evenly. Where the square was not resized every value returns as it was; else a map is enlarged
    by cubics, kept in [0, 1], and shrunk by area means, without a shift. Outside the square: 0.
    Raises ValueError where the map is no square or the image has no pixel.
    """
    if probability.ndim != 2 or probability.shape[0] != probability.shape[1]:
        raise ValueError(f"a view's map is (size, size), not {probability.shape}")
    rows, columns = shape
    if min(rows, columns) < 1:
        raise ValueError(f"an image has at least one row and one column, not {shape}")
    square = (box or PixelBox(0, rows, 0, columns)).square()
    image_map = _resized(
        probability[:, ::-1] if flipped else probability, square.row1 - square.row0
    )
    row0, row1 = max(square.row0, 0), min(square.row1, rows)
    column0, column1 = max(square.column0, 0), min(square.column1, columns)
    image = np.zeros(shape, np.float32)
    if row0 < row1 and column0 < column1:  # else the box lies wholly outside
        image[row0:row1, column0:column1] = image_map[
            row0 - square.row0 : row1 - square.row0,
            column0 - square.column0 : column1 - square.column0,
        ]
    return image


def _resized(square: Float32Array, side: int) -> Float32Array:
    if len(square) == side:
        return square
    # Cubics, as the outline of a thin mask, thresholded, lies nearer to the true one than between
    # straight lines: on twenty real masks cut out at a quarter of their size half as far off.
    interpolation = cv2.INTER_CUBIC if side > len(square) else cv2.INTER_AREA
    source = np.ascontiguousarray(square, np.float32)
    resized = cv2.resize(source, (side, side), interpolation=interpolation)
    return np.clip(resized, 0.0, 1.0, out=np.asarray(resized, np.float32))
