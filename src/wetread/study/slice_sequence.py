"""study/slice_sequence.py: the slices of a series one after the other, without an array that
holds all."""

from collections.abc import Iterator
from typing import Protocol

from wetread.archive.types import Float32Array


class SliceSequence(Protocol):
    """Slices of one shape in order: an array (Z, rows, columns), or what makes each when asked.

    Values of a slice are (rows, columns) float32. Read in order and not kept, so that memory does
    not grow with their number.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """(Z, rows, columns)."""

    def __getitem__(self, z: int, /) -> Float32Array:
        """The values of slice z."""

    def __iter__(self) -> Iterator[Float32Array]:
        """The values of each slice."""
