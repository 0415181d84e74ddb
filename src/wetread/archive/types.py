"""archive/types.py: the types of arrays, rows and callbacks that all rooms share."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]
UInt8Array = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]

Row = Mapping[str, Any]  # one row of a table, by column: of the index, of one frame, of a store
Progress = Callable[[int, int], None]  # (done, in all)
