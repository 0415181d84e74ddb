"""study/slice_sequence.py: the slices of a series in order, without an array that holds all."""

from collections.abc import Iterator
from typing import Protocol

from wetread.archive.types import Float32Array


class SliceSequence(Protocol):
    """Slices of one shape in order: an array (Z, rows, columns), or an object that reads each.

    Values of a slice are (rows, columns) float32. Read in order and not kept, so that memory does
    not grow with their number.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (Z, rows, columns)."""

    def __getitem__(self, z: int, /) -> Float32Array:
        """Return the values of slice z: (rows, columns) float32."""

    def __iter__(self) -> Iterator[Float32Array]:
        """Yield the values of each slice: (rows, columns) float32."""
