"""study/geometry.py: where slices lie, from positions and orientations; plain NumPy, LPS, mm.

PS3.3 C.7.6.2.1.1: orientation is the direction along a row (growing column), then that along a
column (growing row); position is the center of the first voxel.
"""

import numpy as np

from wetread.archive.types import BoolArray, Float64Array, Int64Array

ORIENTATION_TOLERANCE = 1e-3  # of a direction cosine
POSITION_TOLERANCE_MM = 0.1


def unit_axes(orientation: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Turn an orientation (6,) into unit vectors (3,): along a row, along a column, normal.

    Raises ValueError where the two directions are not at right angles within 1e-3.
    """
    along = np.asarray(orientation, np.float64).reshape(2, 3)
    lengths = np.linalg.norm(along, axis=1)
    if not np.all(np.isfinite(along)) or lengths.min() < ORIENTATION_TOLERANCE:
        raise ValueError(f"(0020,0037) ImageOrientationPatient {along.ravel()} has no direction")
    row, column = along / lengths[:, None]
    if abs(row @ column) > ORIENTATION_TOLERANCE:
        angle = np.degrees(np.arccos(np.clip(row @ column, -1, 1)))
        raise ValueError(f"(0020,0037) ImageOrientationPatient: the axes meet at {angle:.2f} deg")
    return row, column, np.cross(row, column)


def are_orientations(orientations: Float64Array) -> BoolArray:
    """Whether each of (N, 6) is two directions at right angles, as `unit_axes` takes them: (N,)."""
    along = np.asarray(orientations, np.float64).reshape(-1, 2, 3)
    lengths = np.linalg.norm(along, axis=2)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        slant = np.abs((along[:, 0] * along[:, 1]).sum(axis=1) / lengths.prod(axis=1))
        right = slant <= ORIENTATION_TOLERANCE
    long_enough = (lengths >= ORIENTATION_TOLERANCE).all(axis=1)
    usable: BoolArray = right & long_enough & np.isfinite(along).all(axis=(1, 2))
    return usable


def along_normal(positions: Float64Array, orientation: Float64Array) -> Float64Array:
    """Project positions (N, 3) mm on the normal of orientation (6,): (N,) mm."""
    projected: Float64Array = np.asarray(positions, np.float64) @ unit_axes(orientation)[2]
    return projected


def step_vector(positions: Float64Array) -> Float64Array:
    """Average the step from slice to slice: (3,) mm; positions (N, 3) in order, N at least 2."""
    step: Float64Array = (positions[-1] - positions[0]) / (len(positions) - 1)
    return step


def is_regular(positions: Float64Array) -> bool:
    """Whether every slice lies within 0.1 mm of first + k * step; (N, 3) in order."""
    if len(positions) < 2:
        return True
    line = positions[0] + np.arange(len(positions))[:, None] * step_vector(positions)
    return bool(np.all(np.abs(positions - line) <= POSITION_TOLERANCE_MM))


def tilt_degrees(step: Float64Array, orientation: Float64Array) -> float:
    """Measure the angle between the normal of orientation (6,) and the step (3,) from slice to
    slice, degrees; 0 for a straight stack."""
    normal = unit_axes(orientation)[2]
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(normal, step)), abs(normal @ step))))


def tilt_parts(step: Float64Array, orientation: Float64Array) -> tuple[float, float]:
    """Split the tilt of a step (3,) against orientation (6,) into (about the row axis, about the
    column axis), degrees, signed.

    The first is positive where the step leans down the columns (growing row), the second where it
    leans along the rows (growing column).
    """
    row, column, _ = unit_axes(orientation)
    direction = step / np.linalg.norm(step)
    return float(np.degrees(np.arcsin(direction @ column))), float(
        np.degrees(np.arcsin(direction @ row))
    )


def off_line_mm(positions: Float64Array, orientation: Float64Array) -> Float64Array:
    """Measure how far each of positions (N, 3), in order, lies in its plane from the line of the
    first to the last: (N,) mm; orientation: (6,).

    A tilted stack lies on its line, whatever its distances; zeros where the line has no length.
    """
    along = along_normal(positions, orientation)
    if len(positions) < 3 or along[-1] == along[0]:
        return np.zeros(len(positions))
    share = ((along - along[0]) / (along[-1] - along[0]))[:, None]
    off: Float64Array = positions - (positions[0] + share * (positions[-1] - positions[0]))
    distance: Float64Array = np.linalg.norm(off, axis=1)
    return distance


def affine_lps(
    orientation: Float64Array, spacing_row_column_mm: tuple[float, float], positions: Float64Array,
    thickness_mm: float,
) -> Float64Array:  # fmt: skip
    """Make the affine (4, 4) of index (z, y, x, 1) to LPS mm, shear and all.

    orientation: (6,); positions: (N, 3) mm in order; with one slice, or all at one position, the
    step is the normal times thickness_mm.
    """
    row, column, normal = unit_axes(orientation)
    row_mm, column_mm = spacing_row_column_mm
    step = step_vector(positions) if len(positions) > 1 else np.zeros(3)
    affine = np.eye(4)
    affine[:3, 0] = step if np.linalg.norm(step) > 0 else normal * thickness_mm
    affine[:3, 1] = column * row_mm
    affine[:3, 2] = row * column_mm
    affine[:3, 3] = positions[0]
    return affine


def affine_ijk_lps(affine: Float64Array) -> Float64Array:
    """Make the affine (4, 4) of index (i column, j row, k slice, 1) to LPS mm, as ITK writes it.

    affine: (4, 4) of index (z, y, x, 1) to LPS mm, as `affine_lps` gives it and highdicom has it.
    """
    return affine[:, [2, 1, 0, 3]].copy()


def affine_ijk_ras(affine: Float64Array) -> Float64Array:
    """Make the affine (4, 4) of index (i column, j row, k slice, 1) to RAS mm, as NIfTI has it.

    affine: (4, 4) of index (z, y, x, 1) to LPS mm. The array that goes with it is (x, y, z).
    """
    ras: Float64Array = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine_ijk_lps(affine)
    return ras


def plane_numbers(orientations: Float64Array) -> Int64Array:
    """Number the planes of orientations (N, 6), equal within 1e-3: (N,); 0 is the commonest."""
    number = np.full(len(orientations), -1)
    for plane in range(len(orientations)):
        left = np.flatnonzero(number < 0)
        if not len(left):
            break
        usual = orientations[left[commonest_orientation(orientations[left])]]
        agree = np.abs(orientations[left] - usual).max(axis=1) <= ORIENTATION_TOLERANCE
        number[left[agree]] = plane
    return number


def commonest_orientation(orientations: Float64Array) -> int:
    """Find the index of the first of (N, 6) that most others agree with, within 1e-3."""
    best, most = 0, 0
    left = np.ones(len(orientations), bool)
    while left.sum() > most:
        first = int(np.argmax(left))
        agree = np.abs(orientations - orientations[first]).max(axis=1) <= ORIENTATION_TOLERANCE
        if agree.sum() > most:
            best, most = first, int(agree.sum())
        left &= ~agree
    return best
