"""outputs/mesh.py: a mask becomes a surface in mm, LPS, and a file of it: STL, PLY, OBJ."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage

from wetread.anatomy.mask import Mask, slabs_mm
from wetread.archive.files.atomic import write_whole
from wetread.archive.types import BoolArray, Float32Array, Float64Array, FloatArray, Int32Array
from wetread.outputs.optional import import_optional
from wetread.study.boxes import VoxelBox
from wetread.study.geometry import unit_axes
from wetread.study.placement import SlicePlacement

MESH_FORMATS = ("stl", "ply", "obj")
FINEST_MM = 1.0
REACH_MM = 8.0  # from an outline: further in or out is all the same
LEAST_MM = 1e-3  # a level of nought itself would make triangles without area
SOFTENED = 0.7  # steps, SD of the Gaussian that takes the pixels' corners off


@dataclass(frozen=True, eq=False)
class Surface:
    """Closed surfaces of triangles.

    points: (N, 3) float32 LPS mm; faces: (M, 3) int32, counterclockwise seen from outside.
    """

    points: Float32Array
    faces: Int32Array


def surface_of(mask: Mask, finest_mm: float = FINEST_MM) -> Surface:
    """Return the surface half way between inside and outside of a mask (Z, Y, X), in steps of
    finest_mm, or of a pixel where that is larger.

    Between slices the outline changes evenly from one's to the other's, however far apart they are,
    and it is smoothed lightly, by a Gaussian of 0.7 of a step. A mask that ends with the volume is
    closed half a slice beyond. An empty mask has no triangle.
    """
    box = mask.box
    if not any(box):
        return Surface(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32))
    mm = [max(finest_mm, spacing) for spacing in mask.place.spacing_mm]
    step = [wide / spacing for wide, spacing in zip(mm, mask.place.spacing_mm, strict=True)]
    low = (box[2] - 2 * step[0], box[4] - 2 * step[1])  # a frame of two steps is outside
    levels = _levels(mask, box, low, step)
    at = _heights(mask.place, box, finest_mm)
    levels = _between_slices(levels, at - (box[0] - 1))
    points, faces, _, _ = import_optional("skimage.measure").marching_cubes(levels, 0.0)
    index = np.stack(
        [
            np.interp(points[:, 0], np.arange(len(at)), at),
            low[0] + points[:, 1] * step[0],
            low[1] + points[:, 2] * step[1],
        ],
        axis=1,
    )
    if mask.place.positions_mm[-1] < mask.place.positions_mm[0]:  # against the normal: mirrored
        faces = faces[:, ::-1]
    return Surface(
        index_to_mm(mask.place, index).astype(np.float32), np.ascontiguousarray(faces, np.int32)
    )


def index_to_mm(place: SlicePlacement, index: Float64Array) -> Float64Array:
    """Return (N, 3) LPS mm of (N, 3) slices, rows and columns, fractions of them too.

    Between slices, and beyond the ends, the place is interpolated: no affine is needed.
    """
    row, column, normal = unit_axes(place.orientation)
    origins = place.origins_mm
    if len(origins) == 1:
        origins = np.stack([origins[0], origins[0] + normal * max(place.thickness_mm[0], 1.0)])
    below = np.clip(np.floor(index[:, 0]).astype(np.int64), 0, len(origins) - 2)
    share = (index[:, 0] - below)[:, None]
    origin = origins[below] + share * (origins[below + 1] - origins[below])
    down, across = (index[:, 1:] * place.spacing_mm).T
    found: Float64Array = origin + down[:, None] * column + across[:, None] * row
    return found


def _levels(mask: Mask, box: VoxelBox, low: tuple[float, float], step: list[float]) -> Float32Array:
    """Return (slices, rows, columns) mm to the outline in the slice, positive inside: slices of
    the box and one more at each end, rows and columns in steps of so many pixels from `low`."""
    size = [
        int(np.ceil((box[3] - low[0]) / step[0])) + 2,
        int(np.ceil((box[5] - low[1]) / step[1])) + 2,
    ]
    pixel_mm = float(np.sqrt(np.prod(mask.place.spacing_mm)))
    to_pixel = np.array([[step[1], 0, low[1]], [0, step[0], low[0]]])
    levels = np.full((box[1] - box[0] + 2, *size), -REACH_MM, np.float32)
    for k in range(box[0], box[1]):
        level = outline_level(mask.inside[k]) * pixel_mm
        levels[k - box[0] + 1] = cv2.warpAffine(
            np.clip(level, -REACH_MM, REACH_MM),
            to_pixel,
            (size[1], size[0]),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderValue=-REACH_MM,
        )
    levels = np.asarray(ndimage.gaussian_filter(levels, (0, SOFTENED, SOFTENED), mode="nearest"))
    apart = slabs_mm(mask.place)
    levels[0] = _capped(levels[1], apart[box[0]], ends=box[0] == 0)
    levels[-1] = _capped(levels[-2], apart[box[1] - 1], ends=box[1] == len(mask.inside))
    return levels


def _capped(level: FloatArray, apart_mm: float, ends: bool) -> Float32Array:
    """Return the level (Y, X) beyond the last slice of a mask, which rounds off toward it; where
    the volume ends it is cut half way."""
    return np.asarray(-np.abs(level) if ends else np.minimum(level, 0) - apart_mm)


def outline_level(picture: BoolArray) -> Float32Array:
    """Return (Y, X) float32, the pixels to the outline of a mask (Y, X), positive inside.

    Beyond the picture's edge is outside.
    """
    framed = np.pad(picture.astype(np.uint8), 1)
    if not picture.any():
        return np.full(picture.shape, -np.inf, np.float32)
    within = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    beyond = cv2.distanceTransform(1 - framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    level = np.where(framed > 0, within - 0.5, 0.5 - beyond).astype(np.float32)
    return np.asarray(level[1:-1, 1:-1])


def _heights(place: SlicePlacement, box: VoxelBox, finest_mm: float) -> Float64Array:
    """Return (K,) fractional slices, from one below the box to one above it, about finest_mm apart
    and no finer than the slices are."""
    slices = np.arange(box[0] - 1, box[1] + 1, dtype=np.float64)
    if len(place.origins_mm) < 2:
        return slices
    normal = unit_axes(place.orientation)[2]
    flat = np.stack([slices, np.zeros(len(slices)), np.zeros(len(slices))], axis=1)
    along = np.abs((index_to_mm(place, flat) - index_to_mm(place, flat[:1])) @ normal)
    count = max(2, int(np.ceil(along[-1] / finest_mm)) + 1)
    return np.interp(np.linspace(0, along[-1], count), along, slices)


def _between_slices(levels: FloatArray, at: FloatArray) -> Float32Array:
    """Return the levels (Z, Y, X) at fractional slices (K,), interpolated between neighbors.

    Where slices are finer than the steps they are smoothed first.
    """
    finer = (len(levels) - 1) / max(len(at) - 1, 1)  # slices a step
    if finer > 1:
        levels = ndimage.gaussian_filter1d(levels, 0.5 * finer, axis=0, mode="nearest")
    below = np.clip(at.astype(np.int64), 0, len(levels) - 2)
    share = (at - below).astype(np.float32)[:, None, None]
    between: FloatArray = (1 - share) * levels[below] + share * levels[below + 1]
    between[[0, -1]] = np.minimum(between[[0, -1]], -LEAST_MM)  # closed, whatever smoothing brought
    np.copyto(between, -LEAST_MM, where=np.abs(between) < LEAST_MM)
    return between


def write_mesh(path: Path, surface: Surface) -> None:
    """Write path (.stl, .ply, .obj), mm, LPS."""
    form = path.suffix.lstrip(".").lower()
    if form not in MESH_FORMATS:
        raise ValueError(
            f"{path.name}: no mesh form {form!r}; there are: {', '.join(MESH_FORMATS)}"
        )
    mesh = import_optional("trimesh").Trimesh(surface.points, surface.faces, process=False)
    content = mesh.export(file_type=form)
    write_whole(path, content.encode() if isinstance(content, str) else content)
