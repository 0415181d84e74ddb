"""training/slices/region.py: what networks draw stays within the region where findings can lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import blosc2
import cv2
import numpy as np
import numpy.typing as npt

from wetread.archive.types import BoolArray, Float32Array
from wetread.training.crops import FindInside
from wetread.training.networks import SliceBatch
from wetread.training.slices.source import SliceSource


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions of a source's slices, each found once however many networks draw in it, and kept
    packed: to find one takes longer than to read a film with a small network."""

    source: SliceSource
    inside: FindInside
    packed: dict[int, bytes] = field(default_factory=dict)

    def of(self, rows: Sequence[int]) -> Iterator[BoolArray]:
        """Find the regions (rows, columns) of slices, in order."""
        new = [row for row in dict.fromkeys(rows) if row not in self.packed]
        for row, hu in zip(new, self.source.read_hu(new) if new else (), strict=True):
            self.packed[row] = blosc2.pack_array2(np.ascontiguousarray(self.inside(hu)))
        return (blosc2.unpack_array2(self.packed[row]) for row in rows)


def limit_masks(
    batches: Iterable[SliceBatch],
    rows: Sequence[int] | npt.NDArray[np.int64],
    regions: Regions | None,
) -> Iterator[SliceBatch]:
    """Yield batches of rows (N,), in order, their masks 0 outside the region of each slice; as they
    are where there are no regions."""
    start = 0
    for batch in batches:
        if regions is None or batch.masks is None:
            yield batch
            continue
        stop = start + len(batch.masks)
        own = regions.of([int(row) for row in rows[start:stop]])
        pairs = zip(batch.masks, own, strict=True)
        yield batch._replace(masks=np.stack([_limit(maps, region) for maps, region in pairs]))
        start = stop


def _limit(maps: Float32Array, region: BoolArray) -> Float32Array:
    """Multiply maps (M, h, w) by the share of each of their pixels that is inside (rows, columns)
    of the region."""
    share = cv2.resize(region.astype(np.float32), maps.shape[:0:-1], interpolation=cv2.INTER_AREA)
    limited: Float32Array = maps * share
    return limited
