"""training/slices/region.py: what networks draw stays within the region where findings can lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from wetread.archive.types import BoolArray, Float32Array
from wetread.training.crops import FindInside
from wetread.training.slices.predict import SliceBatch
from wetread.training.slices.source import SliceSource


def limit_masks(
    batches: Iterable[SliceBatch],
    source: SliceSource,
    rows: Sequence[int] | npt.NDArray[np.int64],
    inside: FindInside | None,
) -> Iterator[SliceBatch]:
    """Yield batches of the source's rows (N,), in order, their masks 0 outside the region that is
    found in each slice; as they are where there is nothing to find."""
    start = 0
    for batch in batches:
        if inside is None or batch.masks is None:
            yield batch
            continue
        stop = start + len(batch.masks)
        values = source.read_hu([int(row) for row in rows[start:stop]])
        pairs = zip(batch.masks, values, strict=True)
        yield batch._replace(masks=np.stack([_limit(maps, inside(one)) for maps, one in pairs]))
        start = stop


def _limit(maps: Float32Array, region: BoolArray) -> Float32Array:
    """Multiply maps (M, h, w) by the share of each of their pixels that is inside (rows, columns)
    of the region."""
    share = cv2.resize(region.astype(np.float32), maps.shape[:0:-1], interpolation=cv2.INTER_AREA)
    limited: Float32Array = maps * share
    return limited
