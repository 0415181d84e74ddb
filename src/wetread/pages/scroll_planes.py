"""pages/scroll_planes.py: which other planes a page can show of a stack, and how they lie.

A stack has three axes: along a row, along a column, and the normal. Each slice stands in that frame
where its header puts it, so that the shear of a tilted gantry and uneven steps are kept: the script
(pages/scroll/planes.js) shows every voxel where it lies, as thick as its slice, and nothing in a
gap between two slices.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wetread.archive.types import FloatArray, JsonObject
from wetread.outputs.sides import letters_along
from wetread.study.geometry import unit_axes
from wetread.study.placement import SlicePlacement

TILTED_DEGREES = 0.5  # of the slices against their normal, or of the normal against the patient
_SAME_MM = 0.01
_MOST_ROWS = 4  # rows of a made plane for each slice, where steps are uneven


@dataclass(frozen=True)
class _Plane:
    """A plane's name; LPS axis and sign of what runs across, down, and from slice to slice."""

    name: str
    across: tuple[int, int]
    down: tuple[int, int]
    through: tuple[int, int]


# As radiologists view them: axial from the feet, coronal from the front, sagittal from the left.
_PLANES = (
    _Plane("axial", (0, 1), (1, 1), (2, -1)),
    _Plane("coronal", (0, 1), (2, -1), (1, 1)),
    _Plane("sagittal", (1, 1), (2, -1), (0, 1)),
)


def describe_planes(place: SlicePlacement, shape: Sequence[int]) -> JsonObject:
    """Return the geometry that the page's script draws planes by, or {"refused": why}; JSON.

    shape: (Z, Y, X). acquired: the plane the slices lie in. offsets: (Z, 3) mm of each slice's
    first voxel from the first slice's along row, column and normal. reach: (Z,) mm on either side
    of a slice that it stands for. step: mm between rows of a made plane. made: axis (0 row, 1
    column, 2 normal) and sign across, down and through, letters.
    """
    known = (place.origins_mm, place.orientation, np.array(place.spacing_mm))
    if any(not np.isfinite(part).all() for part in known):
        return {"refused": "the headers do not say where the slices lie"}
    if shape[0] < 2:
        return {"refused": "there is one slice"}
    axes = np.stack(unit_axes(place.orientation))
    offsets = (place.origins_mm - place.origins_mm[0]) @ axes.T
    steps = np.diff(offsets[:, 2])
    if not ((steps > _SAME_MM).all() or (steps < -_SAME_MM).all()):
        return {"refused": "slices lie at one position, or out of order"}
    nearest = np.abs(axes).argmax(axis=1)  # the patient's axis that each of the stack's runs along
    if len(set(nearest.tolist())) < 3:
        return {"refused": "the slices lie between two planes of the patient"}
    stack = {int(axis): (k, int(np.sign(axes[k, axis]))) for k, axis in enumerate(nearest)}
    acquired = next(plane.name for plane in _PLANES if stack[plane.through[0]][0] == 2)
    extent = float(np.ptp(offsets[:, 2]))
    return {
        "acquired": acquired,
        "notes": _notes(axes, nearest, offsets),
        "axes": axes.tolist(),
        "origin": place.origins_mm[0].tolist(),
        "offsets": offsets.tolist(),
        "reach": _reach(place.thickness_mm, np.abs(steps)).tolist(),
        "step": max(float(np.abs(steps).min()), extent / (_MOST_ROWS * shape[0])),
        "made": [_made(plane, stack, axes) for plane in _PLANES if plane.name != acquired],
    }


def _reach(thickness: FloatArray, steps: FloatArray) -> FloatArray:
    """Return (Z,) mm: half a slice and a tenth more; the median step where that is larger."""
    reach: FloatArray = 0.55 * np.fmax(thickness, np.median(steps))
    return reach


def _made(plane: _Plane, stack: dict[int, tuple[int, int]], axes: FloatArray) -> dict[str, object]:
    """Return a plane in the stack's axes, for JSON."""
    directions = {}
    for name in ("across", "down", "through"):
        axis, sign = getattr(plane, name)
        own, direction = stack[axis]
        directions[name] = [own, sign * direction]
    across, down = (directions[name][1] * axes[directions[name][0]] for name in ("across", "down"))
    return {"name": plane.name, **directions, "letters": letters_along(across, down)}


def _notes(axes: FloatArray, nearest: FloatArray, offsets: FloatArray) -> list[str]:
    """List what is unusual in reconstructed planes: a tilt, a shear, a gap."""
    notes = []
    normal = offsets[-1] / np.linalg.norm(offsets[-1])
    tilt = float(np.degrees(np.arccos(np.clip(abs(normal[2]), 0, 1))))
    if tilt >= TILTED_DEGREES:
        notes.append(f"gantry tilt of {tilt:.1f}°: each slice is shown where it lies")
    lean = max(
        float(np.degrees(np.arccos(np.clip(abs(axes[k, axis]), 0, 1))))
        for k, axis in enumerate(nearest)
    )
    if lean >= TILTED_DEGREES:
        notes.append(f"the planes follow the slices, which lean by {lean:.1f}°")
    steps = np.abs(np.diff(offsets[:, 2]))
    if steps.max() > 1.5 * steps.min():
        notes.append(f"uneven steps of {steps.min():.4g} to {steps.max():.4g} mm; gaps are dark")
    return notes
