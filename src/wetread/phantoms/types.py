"""phantoms/types.py: points, boxes and solids as types, for all wings of phantoms.

Arrays are `FloatArray` where a function works in the dtype it is given: pictures and volumes are
float32, a handful of points is float64.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from wetread.archive.types import FloatArray

Point = tuple[float, float, float]  # x, y, z, mm
Knot = tuple[float, float, float, float]  # x, y, z, radius, mm
SlabBox = tuple[slice, slice, slice]  # planes, rows, columns of a slab
PlaneRegion = tuple[slice, slice]  # rows, columns of a plane
Solid = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]  # x, y, z -> mm, < 0 inside
StoredArray = NDArray[np.int16] | NDArray[np.uint16]  # integers as they go to disk
