"""study/distances.py: the distances of slices along their normal: gaps, and what is irregular."""

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import BoolArray, Float64Array, Int64Array
from wetread.study.acquisitions import SAME_POSITION_MM
from wetread.study.geometry import POSITION_TOLERANCE_MM

_MULTIPLE_TOLERANCE = 0.1  # of the usual distance
_DISTANCE_TOLERANCE_MM = 2 * POSITION_TOLERANCE_MM


@dataclass(frozen=True, eq=False)
class Distances:
    """The distances of N slices, ascending, and what is unusual in them.

    apart:     (N-1,) mm.
    usual:     (N-1,) mm, the median of the run of equal SliceThickness that the distance belongs
               to; NaN where the thickness changes, or a run has no distance.
    missing:   (N-1,) slices missing there: the distance is that multiple of the usual one.
    irregular: the distances that are neither usual nor a gap, in words.
    """

    apart: Float64Array
    usual: Float64Array
    missing: Int64Array
    irregular: tuple[str, ...]


def measure_distances(along: Float64Array, thickness: Float64Array) -> Distances:
    """Measure slices at along (N,) mm, ascending, with their SliceThickness (N,), mm or NaN.

    A run of equal thickness is regular where its slices lie within 0.1 mm of equal steps. In
    another, a distance within 10 % of a multiple, 2 or more, of the run's median is a gap, any
    other is irregular. Slices at one position have no distance.
    """
    apart = np.diff(along)
    equal = (thickness[1:] == thickness[:-1]) | (np.isnan(thickness[1:]) & np.isnan(thickness[:-1]))
    run = np.concatenate([[0], np.cumsum(~equal)])
    usual = np.full(len(apart), np.nan)
    missing = np.zeros(len(apart), np.int64)
    irregular: list[str] = []
    for number in np.unique(run):
        inside = np.flatnonzero((run[:-1] == number) & (run[1:] == number))
        counted = inside[apart[inside] >= SAME_POSITION_MM]
        if not len(counted):
            continue
        usual[inside] = np.median(apart[counted])
        if not _on_a_line(apart[counted]):
            median = float(usual[inside[0]])
            missing[counted], found = _find_gaps(along, apart, counted, median)
            irregular += found
    irregular += _irregular_at_changes(along, apart, usual, equal)
    return Distances(apart, usual, missing, tuple(irregular))


def _on_a_line(apart: Float64Array) -> bool:
    """Whether slices at these distances (K,) mm lie within 0.1 mm of equal steps."""
    along = np.concatenate([[0], np.cumsum(apart)])
    line = np.linspace(0, along[-1], len(along))
    return bool(np.abs(along - line).max() <= POSITION_TOLERANCE_MM)


def _find_gaps(
    along: Float64Array, apart: Float64Array, inside: Int64Array, usual: float
) -> tuple[Int64Array, list[str]]:
    """Find (slices missing after each of `inside` (K,), irregular distances in words).

    along: (N,) mm; apart: (N-1,) mm; inside: (K,) numbers of distances; usual: mm.
    """
    times = np.rint(apart[inside] / usual).astype(np.int64)
    near = np.abs(apart[inside] / usual - times) <= _MULTIPLE_TOLERANCE
    missing = np.where(near & (times >= 2), times - 1, 0)
    unlike = np.abs(apart[inside] - usual) > _DISTANCE_TOLERANCE_MM
    irregular = [
        f"{apart[k]:.2f} mm after slice {k} at {along[k]:.2f} mm (usual {usual:.2f})"
        for k in inside[unlike & (missing == 0)]
    ]
    if not unlike.any():  # each within the tolerance, their sum beyond it
        least, most = apart[inside].min(), apart[inside].max()
        irregular.append(f"{least:.3f} to {most:.3f} mm, more than 0.1 mm beside equal steps")
    return missing, irregular


def _irregular_at_changes(
    along: Float64Array, apart: Float64Array, usual: Float64Array, equal: BoolArray
) -> list[str]:
    """Describe the irregular distances where the thickness changes; equal: (N-1,) where not."""
    runs = usual[~np.isnan(usual)]
    if not len(runs):
        return []
    irregular = [
        f"{apart[k]:.2f} mm after slice {k} at {along[k]:.2f} mm, where the thickness changes"
        for k in np.flatnonzero(~equal)
        if np.abs(runs - apart[k]).min() > _DISTANCE_TOLERANCE_MM
    ]
    if np.ptp(runs) > _DISTANCE_TOLERANCE_MM:
        starts = np.flatnonzero(np.diff(runs, prepend=np.inf) != 0)
        medians = ", then ".join(f"{runs[k]:.2f}" for k in starts)
        irregular.append(f"{medians} mm as the thickness changes")
    return irregular
