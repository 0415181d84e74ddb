"""anatomy/mask.py: voxels that belong to one thing, with the place of the volume they are of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wetread.archive.types import BoolArray, Float64Array, Int64Array
from wetread.study.boxes import VoxelBox
from wetread.study.placement import UNKNOWN_THICKNESS_MM, SlicePlacement


@dataclass(frozen=True, eq=False)
class Mask:
    """One organ, as the voxels that are it.

    inside: (Z, Y, X) bool, in the volume's own space: voxel for voxel its hu.
    place:  of the volume it was found in.
    """

    name: str
    inside: BoolArray
    place: SlicePlacement

    @property
    def volume_ml(self) -> float:
        """The volume: each voxel counts the area of its pixel times the mm of its slice; NaN
        without a place. Along the normal, so a tilted stack holds no more than a straight one."""
        return volume_ml(np.count_nonzero(self.inside, axis=(1, 2)), self.place)

    @property
    def box(self) -> VoxelBox:
        """The box of the voxels, ends excluded; all 0 if empty."""
        bounds: list[int] = []
        for axis in range(3):
            others = tuple(other for other in range(3) if other != axis)
            occupied = np.flatnonzero(self.inside.any(axis=others))
            if not len(occupied):
                return VoxelBox(0, 0, 0, 0, 0, 0)
            bounds += [int(occupied[0]), int(occupied[-1]) + 1]
        return VoxelBox(*bounds)

    @property
    def box_mm(self) -> Float64Array | None:
        """The (2, 3) least and greatest LPS mm of the centers of the box's voxels; None if
        empty."""
        box = self.box
        if not any(box):
            return None
        slices = np.arange(box[0], box[1])  # in a sheared stack any slice may reach furthest
        corners = np.stack(
            np.meshgrid(slices, [box[2], box[3] - 1], [box[4], box[5] - 1], indexing="ij"), axis=-1
        )
        placed = self.place.position_of(corners.reshape(-1, 3))
        return np.stack([placed.min(axis=0), placed.max(axis=0)])


def volume_ml(pixels: Sequence[int] | Int64Array, place: SlicePlacement) -> float:
    """Compute the ml of a mask of whose slices this many pixels (Z,) are inside; NaN without a
    place."""
    between_rows, between_columns = place.spacing_mm
    mm3 = (np.asarray(pixels) * slabs_mm(place)).sum() * between_rows * between_columns
    return float(mm3) / 1000.0


def slabs_mm(place: SlicePlacement) -> Float64Array:
    """Return the mm (Z,) along the normal that each slice stands for: half way to each neighbor.

    A slice at an end reaches as far outward as inward. A lone slice stands for its thickness (1 mm
    where it has none). NaN where a slice has no place.
    """
    along = place.positions_mm
    if len(along) < 2:
        thickness = place.thickness_mm
        return np.where(thickness > 0, thickness, UNKNOWN_THICKNESS_MM)
    apart = np.abs(np.diff(along))
    slabs: Float64Array = (np.append(apart[0], apart) + np.append(apart, apart[-1])) / 2
    return slabs
