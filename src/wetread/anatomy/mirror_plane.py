"""anatomy/mirror_plane.py: the plane in which a head is its own mirror image, and a head laid out
along it: left, back and up in mm, however it was tilted and turned.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, optimize

from wetread.anatomy.brain import brain_on_grid
from wetread.anatomy.grid import CubeGrid, grid_over, require_place, resample_to_grid
from wetread.archive.types import Float32Array, Float64Array, Int64Array
from wetread.study.geometry import unit_axes
from wetread.study.placement import SlicePlacement
from wetread.study.volume import Volume

CALVARIA_MM = 90.0  # below the vertex: what lies lower is the base, of less symmetry
TURNS_DEGREES = tuple(range(-36, 37, 6))  # of the head about its axis, where the search begins
FEW_POINTS = 1500  # of the inner table, for the search; all of them for the last of it
FAR_OFF_MM = 5.0  # a distance that counts no more as it grows: missing bone
LEFT_MM, BACK_MM, UP_MM = 40, 110, (-60.0, 70.0)  # the part of a head that is laid out
STEP_UP_MM = 2.5
SAMPLE_MM = 1.0
SHOWN_HU = (-100.0, 150.0)


@dataclass(frozen=True, eq=False)
class MirrorPlane:
    """The plane of symmetry of the inner table.

    left, back, up: (3,) LPS unit vectors: its normal to the patient's left; within it and the
                    slices to the back; and at right angles to both.
    center_mm:      (3,) LPS, a point of it in the middle of the brain.
    vertex_mm:      how far the brain reaches above that.
    residual:       by how much the two halves differ, no unit; 0 for mirror images.
    """

    left: Float64Array
    back: Float64Array
    up: Float64Array
    center_mm: Float64Array
    vertex_mm: float
    residual: float

    def position_of(self, left_back_up_mm: Float64Array) -> Float64Array:
        """Place points (..., 3), mm to the left, back and up, in LPS mm: (..., 3)."""
        axes = np.stack([self.left, self.back, self.up])
        placed: Float64Array = self.center_mm + left_back_up_mm @ axes
        return placed


@dataclass(frozen=True, eq=False)
class StraightHead:
    """The middle of a head, laid out along its plane of symmetry.

    hu:         (U, B, L) float32: up, back, left, in HU between SHOWN_HU.
    inside_mm:  (U, B, L) float32, mm to the brain's surface, positive within.
    up_mm, back_mm, left_mm: of the samples along each axis; left_mm is 0 on the plane.
    """

    hu: Float32Array
    inside_mm: Float32Array
    up_mm: Float64Array
    back_mm: Float64Array
    left_mm: Float64Array
    plane: MirrorPlane


@dataclass(frozen=True, eq=False)
class _Axes:
    """A grid's axes in LPS: (3, 3), a row each, and the LPS of its edge."""

    axes: Float64Array
    edge_mm: Float64Array

    @classmethod
    def of(cls, place: SlicePlacement, grid: CubeGrid) -> "_Axes":
        """Place a grid. Its layers are at whole steps, its rows and columns half a step on."""
        row, column, normal = unit_axes(place.orientation)
        onward = normal * np.sign(place.positions_mm[-1] - place.positions_mm[0])
        axes = np.stack([onward, column, row])
        half = np.array([0.0, *(0.5 * np.array(place.spacing_mm))])
        first = np.array([0.0, *grid.shifts_mm[0]]) + half
        return cls(axes, place.origins_mm[0] - first @ axes)

    def index_of(self, lps_mm: Float64Array, step_mm: float) -> Float64Array:
        """Return the cubes (..., 3), fractions, of points (..., 3) in LPS mm."""
        along = (lps_mm - self.edge_mm) @ self.axes.T / step_mm
        index: Float64Array = along - np.array([0.0, 0.5, 0.5])
        return index

    def position_of(self, index: Float64Array | Int64Array, step_mm: float) -> Float64Array:
        """Place cubes (..., 3) in LPS mm."""
        along = (index + np.array([0.0, 0.5, 0.5])) * step_mm
        placed: Float64Array = self.edge_mm + along @ self.axes
        return placed


def lay_out_head(volume: Volume) -> StraightHead:
    """Lay out the middle of a head CT along its plane of symmetry. RejectError as of
    segment_brain."""
    place = require_place(volume)
    grid, level = brain_on_grid(volume)
    axes = _Axes.of(place, grid)
    plane = find_mirror_plane(level, axes, grid.step_mm)
    fine = grid_over(place, volume.hu.shape[1:], SAMPLE_MM)
    hu = resample_to_grid(fine, volume.hu, lambda picture: np.clip(picture, *SHOWN_HU))
    left = np.arange(-LEFT_MM, LEFT_MM + 1.0)
    back = np.arange(-BACK_MM, BACK_MM + 1.0)
    up = np.arange(*UP_MM, STEP_UP_MM)
    points = plane.position_of(np.stack(np.meshgrid(up, back, left, indexing="ij")[::-1], axis=-1))
    fine_axes = _Axes.of(place, fine)
    return StraightHead(
        _sample(hu, fine_axes.index_of(points, SAMPLE_MM), SHOWN_HU[0]),
        _sample(level, axes.index_of(points, grid.step_mm), -50.0),
        up,
        back,
        left,
        plane,
    )


def _sample(field: Float32Array, index: Float64Array, beyond: float) -> Float32Array:
    sampled: Float32Array = ndimage.map_coordinates(
        field, np.moveaxis(index, -1, 0), order=1, mode="constant", cval=beyond
    )
    return sampled


def find_mirror_plane(level: Float32Array, axes: _Axes, step_mm: float) -> MirrorPlane:
    """Find the plane by which the inner table of the calvaria is mirrored onto itself.

    level: mm (layers, rows, columns) to the brain's surface on cubes of step_mm.
    """
    surface = axes.position_of(np.argwhere(np.abs(level) <= 0.75 * step_mm), step_mm)
    vertex = float(np.percentile(surface[:, 2], 99.5))
    surface = surface[surface[:, 2] > vertex - CALVARIA_MM]
    brain = axes.position_of(np.argwhere(level > 0), step_mm)
    middle = brain[brain[:, 2] > vertex - CALVARIA_MM].mean(axis=0)
    few = surface[:: max(1, len(surface) // FEW_POINTS)]

    def unlikeness(turned: Float64Array, points: Float64Array) -> float:
        normal, offset = _normal(turned), turned[2]
        across = (points - middle) @ normal - offset
        mirrored = axes.index_of(points - 2 * across[:, None] * normal, step_mm)
        off = ndimage.map_coordinates(level, mirrored.T, order=1, mode="nearest")
        off = np.minimum(np.abs(off), FAR_OFF_MM)
        return float((off * off / (1 + off)).mean())

    starts = [np.array([np.radians(turn), 0.0, 0.0]) for turn in TURNS_DEGREES]
    best = min(starts, key=lambda start: unlikeness(start, few))
    for points, reach in ((few, 1.0), (surface, 0.2)):
        corners = best + reach * np.diag([0.1, 0.08, 4.0])
        found = optimize.minimize(
            unlikeness, best, args=(points,), method="Nelder-Mead",
            options={"initial_simplex": np.vstack([best, corners]), "xatol": 2e-4, "fatol": 1e-6,
                     "maxiter": 250},
        )  # fmt: skip
        best = found.x
    left = _normal(best)
    up = axes.axes[0] * np.sign(axes.axes[0][2])
    if abs(up[2]) < 0.5:  # no axial slices
        up = np.array([0.0, 0.0, 1.0])
    back = np.cross(up, left)
    back /= np.linalg.norm(back)
    up = np.cross(left, back)
    center = middle + best[2] * left
    return MirrorPlane(left, back, up, center, vertex - float(center[2]), float(found.fun))


def _normal(turned: Float64Array) -> Float64Array:
    """Return the unit normal (3,) of a plane turned by radians about the axis and about the line of
    sight; to the left."""
    normal: Float64Array = np.array([1.0, np.tan(turned[0]), np.tan(turned[1])])
    normal /= np.linalg.norm(normal)
    return normal
