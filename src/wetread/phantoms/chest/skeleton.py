"""phantoms/chest/skeleton.py: ribs, shoulders, sternum and spine of a chest as covered voxels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import FloatArray, UInt8Array
from wetread.phantoms.chest.bones import VERTEBRA_MM, rib_curve, shoulder_cloud
from wetread.phantoms.chest.chest import Chest, spine_shift, walls
from wetread.phantoms.shapes.balls import Lattice, cover_balls, empty_cover
from wetread.phantoms.shapes.clouds import smooth_curve, steps_along

SHOULDER_MM = 1.5  # radius of the balls that make a shell of cortex of points on it


@dataclass(frozen=True, eq=False)
class Balls:
    """Balls that make up bones: place (N, 3), x, y, z mm; radius (N,) mm."""

    place: FloatArray
    radius: FloatArray


@dataclass(frozen=True, eq=False)
class Bones:
    """Ribs with the marrow in them and the cartilage at their ends, and the shoulders' cortex."""

    ribs: Balls
    marrow: Balls
    cartilage: Balls
    shoulders: Balls


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Covers (Z, Y, X) or (Y, X), uint8 0 to 255: bone, the marrow in it, cartilage of ribs."""

    bone: UInt8Array
    marrow: UInt8Array
    cartilage: UInt8Array

    def plane(self, index: int) -> Skeleton:
        """Give the covers (Y, X) of one plane."""
        return Skeleton(self.bone[index], self.marrow[index], self.cartilage[index])


def draw_bones(chest: Chest, arms: float) -> Bones:
    """Make ribs, clavicles and scapulae of a chest; arms: 0 at the sides, 1 raised."""
    ribs, cartilage = [], []
    for part in chest.pleurae:
        for number in range(12):
            curve, outward = rib_curve(chest, part, number, 220)
            curve = curve + outward * 2.4  # its inner face lies on the pleura
            tangent, _ = steps_along(curve)
            across = np.cross(tangent, outward)
            ribs += [curve + across * (shift * chest.rib_mm) for shift in (-0.5, 0.0, 0.5)]
            if number < 10:
                cartilage.append(_cartilage(curve, number))
    place, cartilage_points = np.concatenate(ribs).astype(np.float32), np.concatenate(cartilage)
    thick = np.full(len(place), 3.4, np.float32)
    shoulders = shoulder_cloud(chest, arms, 1.0)
    radius = np.full(len(shoulders.place), SHOULDER_MM, np.float32)
    radius[shoulders.mass < np.quantile(shoulders.mass, 0.02)] = 0
    return Bones(
        ribs=Balls(place, thick),
        marrow=Balls(place, thick - 1.4),
        cartilage=Balls(cartilage_points, np.full(len(cartilage_points), 4.4, np.float32)),
        shoulders=Balls(shoulders.place, radius),
    )


def cover_bones(bones: Bones, lattice: Lattice) -> Skeleton:
    """Compute the covers (Z, Y, X) of bones on a lattice."""
    bone, marrow, cartilage = (empty_cover(lattice) for _ in range(3))
    for into, balls in (
        (bone, bones.ribs),
        (bone, bones.shoulders),
        (marrow, bones.marrow),
        (cartilage, bones.cartilage),
    ):
        cover_balls(into, lattice, balls.place, balls.radius)
    return Skeleton(bone, marrow, cartilage)


def _cartilage(curve: FloatArray, number: int) -> FloatArray:
    """Make a curve (90, 3) mm from a rib's front end to the sternum, or to the costal arch."""
    end, side = curve[-1], np.sign(curve[-1, 0])
    target = np.array([side * 14, end[1] - 4, 78 - 15 * min(number, 6)])
    if number > 6:
        target = np.array([side * (26 + 12 * (number - 6)), end[1] - 8, end[2] + 22])
    bent = 0.5 * (end + target) - np.array([0, 7, 0])
    return smooth_curve(np.stack([end, bent, target]), 90)


def spine_planes(
    chest: Chest, x: FloatArray, y: FloatArray, z: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Evaluate the vertebra's bone, the spinal canal and the disc at x, y (Y, X) and z, mm.

    Where bone is positive and the disc negative, there is a disc.
    """
    across = x - float(spine_shift(chest, np.array(z)))
    level = (z + 400) / VERTEBRA_MM
    w = level - np.floor(level)  # 0 to 1 from one vertebra's foot to the next
    size = float(np.clip(1 - (z + 20) * 0.0012, 0.75, 1.2))
    waist = 1 + 0.12 * (2 * w - 1) ** 2
    half = 15.5 * size * waist
    body = (np.hypot(across / half, (y - 49) / (13.5 * size * waist)) - 1) * 13
    back = (y - 62) / 6
    body = np.maximum(body, np.minimum(back, 4))
    disc = body + 0.5
    if abs(w - 0.5) > 0.42:
        body = np.full_like(disc, 20.0)
    canal = np.hypot(across, (y - 71) * 1.05) - 8.0 * size
    arch = np.abs(canal - 3.2) - 2.4
    if not 0.2 < w < 0.85:
        arch = np.maximum(arch, np.abs(np.abs(across) - 9) - 4)  # joints, without a roof
    spinous = np.maximum(np.abs(across) - 2.4, np.abs(y - 93) - 13)
    spinous = spinous + (0.0 if 0.05 < w < 0.55 else 10.0)
    lean = 0.45 * (np.abs(across) - 10)
    wing = np.maximum(np.abs(y - 72 - lean) - 3.6, np.abs(np.abs(across) - 21) - 13)
    wing = wing + (0.0 if abs(w - 0.7) < 0.2 else 10.0)
    bone: FloatArray = np.minimum(np.minimum(body, arch), np.minimum(spinous, wing))
    return np.maximum(bone, -canal), canal, disc


def sternum_plane(chest: Chest, x: FloatArray, y: FloatArray, z: float) -> FloatArray:
    """Evaluate the sternum at x, y (Y, X) and z, mm: manubrium above z = 60, body to -62."""
    part = chest.pleurae[0]
    _, _, middle, depth = walls(part, np.array(float(min(z, part.apex[1] - 30))))
    front = float(middle - depth) - 8
    wide = 17 + 11 * float(np.clip((z - 52) / 25, 0, 1))
    plate = np.hypot(np.maximum(np.abs(x) - wide + 5, 0), np.maximum(np.abs(y - front) - 1, 0)) - 5
    outside = max(z - 88, -62 - z, 0.0)
    found: FloatArray = plate + outside
    return found
