"""archive/types.py: the types of arrays, rows and callbacks that every room shares."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
UInt8Array = NDArray[np.uint8]
Int16Array = NDArray[np.int16]
Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
IntegerArray = NDArray[np.integer]  # stored values: signed or not, of 8 to 64 bits
Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
FloatArray = NDArray[np.floating]
NumberArray = NDArray[np.integer] | NDArray[np.floating]

# A row of an index, by column (archive/index/schema.py); of a frame's row also `frame` and
# `stack_id`. Values are text, int, float, bool, lists of them, or None.
Row = Mapping[str, Any]
MutableRow = dict[str, Any]  # a row that is being filled in
JsonObject = dict[str, Any]  # an object of a JSON file

Progress = Callable[[int, int], None]  # (done, in all)
ReadAt = Callable[[int, int], bytes]  # (offset, length) -> at most length bytes of a file
Span = tuple[int, int]  # (first byte, bytes) of a file

StrPath = str | os.PathLike[str]  # a file or folder, as a caller gives it
StrPaths = StrPath | Iterable[StrPath]  # one or several
