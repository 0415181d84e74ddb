"""anatomy/frame.py: a volume turned so that its axes run feet to head, front to back, to the left.

However the patient lay, and whichever plane was scanned: organs are sought in one frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from wetread.study.stack import require_affine
from wetread.study.volume import Volume

# In LPS, what (z, y, x) of the frame run along: to the head, to the back, to the left.
PATIENT_AXES = (2, 1, 0)
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class PatientFrame:
    """How arrays of a volume are turned; views, no voxel is moved or made.

    order:      which axis of the volume becomes z, y, x of the frame.
    flipped:    which axes of the frame run against the volume's.
    spacing_mm: (dz, dy, dx) in the frame.
    """

    order: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]
    spacing_mm: tuple[float, float, float]

    def to_patient(self, array: NDArray[Scalar]) -> NDArray[Scalar]:
        """Turn an array of the volume, (Z, Y, X), into the frame; a view."""
        return self._flip(array.transpose(self.order))

    def from_patient(self, array: NDArray[Scalar]) -> NDArray[Scalar]:
        """Turn an array of the frame, (Z, Y, X), back into the volume's own order; a view."""
        back = np.argsort(self.order)
        return self._flip(array).transpose(tuple(int(axis) for axis in back))

    def _flip(self, array: NDArray[Scalar]) -> NDArray[Scalar]:
        z, y, x = (slice(None, None, -1 if against else 1) for against in self.flipped)
        return array[z, y, x]


def patient_frame(volume: Volume) -> PatientFrame:
    """Find the turn that brings the volume's axes nearest to the patient's.

    StackError (a ValueError) where the volume has no one affine: which side is left, and how far a
    millimeter reaches, is then not known.
    """
    steps = require_affine(volume)[:3, :3]
    lengths = np.linalg.norm(steps, axis=0)
    cosines = steps / lengths
    order: list[int] = []
    for patient in PATIENT_AXES:
        closeness = np.abs(cosines[patient]).copy()
        closeness[order] = -1.0
        order.append(int(np.argmax(closeness)))
    flipped = [bool(cosines[p, axis] < 0) for p, axis in zip(PATIENT_AXES, order, strict=True)]
    spacing = [float(lengths[axis]) for axis in order]
    return PatientFrame(
        (order[0], order[1], order[2]),
        (flipped[0], flipped[1], flipped[2]),
        (spacing[0], spacing[1], spacing[2]),
    )
