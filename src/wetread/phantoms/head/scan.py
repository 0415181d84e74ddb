"""phantoms/head/scan.py: where a head CT's slices lie, and what the scanner makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

import cv2
import numpy as np

from wetread.archive.types import Float32Array, Float64Array, FloatArray
from wetread.phantoms.head.patient import Patient
from wetread.phantoms.scanner.hardening import bone_paths, harden_beam
from wetread.phantoms.scanner.noise import draw_noise, draw_streaks
from wetread.phantoms.scanner.stored_values import LOWEST_HU
from wetread.phantoms.shapes.implicit import (
    COARSE,
    SliceGrid,
    Waves,
    draw_waves,
    enlarge,
    evaluate_waves,
    paint,
    plane_mean,
)

THICKNESS_MM = 5.0
SUBSLICES_MM = (-1.3, 1.3)  # each slice is the mean of two planes: partial volume along z
THIN = 0.35  # of SUBSLICES_MM, where thin slices lie 5 mm apart
SKULL_MM = 16.0  # bone to both sides that scanners correct for, mm of 1000 HU


@dataclass(frozen=True, eq=False)
class HeadScan:
    """One acquisition: geometry in the patient system (LPS, mm) and the machine's habits.

    first_mm:   (3,) center of the lowest slice; step_mm: (3,) from one slice to the next.
    down_axis:  (3,) direction of the columns; the rows run along (1, 0, 0).
    head:       (3, 3) canonical axes as columns, in LPS; center_mm: (3,) canonical origin in LPS.
    signed, padded: of the stored integers, see scanner/stored_values.py.
    thin:       a slice's thickness over the usual one.
    blur_mm:    sigma of the kernel's Gaussian; sharpen: of a sharp kernel, overshoot at edges.
    hardening:  HU by which a mm of bone on both sides darkens; streak_hu: of its noise there.
    holder_mm:  radius of the head rest, 0 for none; cushion_mm: of gel on it; side_mm: of the pads
                next to the head. All lie outside the head, as dense as blood or bone.
    """

    size: int
    slices: int
    pixel_mm: float
    first_mm: Float64Array
    step_mm: Float64Array
    down_axis: Float64Array
    head: Float64Array
    center_mm: Float64Array
    signed: bool
    padded: bool
    implicit: bool
    thin: float
    noise_hu: float
    grain_pixels: float
    blur_mm: float
    sharpen: float
    offset_hu: float
    cupping_hu: float
    hardening: float
    streak_hu: float
    moving: frozenset[int]
    holder_mm: float
    holder_hu: float
    cushion_mm: float
    cushion_hu: float
    side_mm: float
    side_hu: float
    ripple: Waves

    @property
    def orientation(self) -> tuple[float, ...]:
        """Give Image Orientation (Patient): six direction cosines."""
        return (1.0, 0.0, 0.0, *(float(v) for v in self.down_axis))

    def position_mm(self, index: int) -> Float64Array:
        """Give Image Position (Patient) of slice index: the center of its first pixel, (3,) mm."""
        corner = self.first_mm + index * self.step_mm
        half = (self.size - 1) / 2 * self.pixel_mm
        moved: Float64Array = corner - half * np.array([1.0, 0, 0]) - half * self.down_axis
        return moved


def _axes(yaw: float, roll: float, pitch: float) -> Float64Array:
    """Make the rotation matrix (3, 3) of a head turned by degrees about z, y and x."""
    a, b, c = radians(yaw), radians(roll), radians(pitch)
    about_z = np.array([[cos(a), -sin(a), 0], [sin(a), cos(a), 0], [0, 0, 1]])
    about_y = np.array([[cos(b), 0, sin(b)], [0, 1, 0], [-sin(b), 0, cos(b)]])
    about_x = np.array([[1, 0, 0], [0, cos(c), -sin(c)], [0, sin(c), cos(c)]])
    rotation: Float64Array = about_z @ about_y @ about_x
    return rotation


def draw_head_scan(rng: np.random.Generator, size: int, scale_z: float) -> HeadScan:
    """Draw 20-36 slices of 5 mm that cover the head, tilted as on real scanners.

    size: edge of a slice in pixels; scale_z: the head's height over the canonical one.
    """
    straight = rng.random() < 0.4
    along_table = bool(rng.random() < 0.5)
    limit = 13 if along_table else 23
    tilt = 0.0 if straight else float(np.round(rng.uniform(-limit, limit) * 2) / 2)
    t = radians(tilt)
    down_axis = np.array([0.0, cos(t), sin(t)])
    normal = np.array([0.0, -sin(t), cos(t)])
    # A tilted gantry moves the table along z, so positions shift within the plane.
    step = np.array([0, 0, THICKNESS_MM / cos(t)]) if along_table else normal * THICKNESS_MM
    head = _axes(rng.normal(0, rng.choice((4, 14))), rng.normal(0, 3.5), tilt + rng.normal(0, 7))
    bottom = rng.uniform(-78, -38) * scale_z
    top = 83 * scale_z + rng.uniform(-7, 11)
    slices = int(np.clip(round((top - bottom) / THICKNESS_MM), 20, 36))
    center = np.array([rng.normal(0, 4), rng.normal(0, 8), rng.uniform(-20, 220)])
    middle = center + normal * (bottom + (slices - 1) / 2 * THICKNESS_MM)
    middle = middle + down_axis * (rng.normal(2, 4)) + np.array([rng.normal(0, 3), 0, 0])
    signed, thin = bool(rng.random() < 0.55), bool(rng.random() < 0.15)
    pixels = (0.976562, 0.976562, 0.976562, 0.9375, 0.921875, 0.9896, 0.898438)
    moving: frozenset[int] = frozenset()
    if rng.random() < 0.05:
        start = int(rng.integers(0, slices - 3))
        moving = frozenset(range(start, start + int(rng.integers(2, 5))))
    return HeadScan(
        size=size,
        slices=slices,
        pixel_mm=float(rng.choice(pixels)) * 256 / size,
        first_mm=middle - step * (slices - 1) / 2,
        step_mm=step,
        down_axis=down_axis,
        head=head,
        center_mm=center,
        signed=signed,
        padded=bool(signed and rng.random() < 0.7),
        implicit=bool(rng.random() < (0.1 if signed else 0.45)),
        thin=THIN if thin else 1.0,
        noise_hu=float(rng.uniform(2.3, 4.9) * (1.3 if thin else 1.0)),
        grain_pixels=float(rng.uniform(0.3, 0.7)),
        blur_mm=float(rng.uniform(0.75, 1.3)),
        sharpen=float(rng.uniform(0.2, 0.6) * (rng.random() < 0.2)),
        offset_hu=float(np.clip(rng.normal(-0.5, 3.2), -7, 6)),
        cupping_hu=float(rng.uniform(0, 12)),
        hardening=float(rng.uniform(0.15, 1.1)),
        streak_hu=float(rng.gamma(2.0, 1.6)),
        moving=moving,
        holder_mm=float(rng.choice((0.0, 108.0, 116.0, 125.0))),
        holder_hu=float(rng.uniform(35, 700)),
        cushion_mm=float(rng.uniform(2, 10) * (rng.random() < 0.35)),
        cushion_hu=float(rng.choice((rng.uniform(-300, 0), rng.uniform(25, 85)))),
        side_mm=float(rng.uniform(0.8, 4) * (rng.random() < 0.4)),
        side_hu=float(rng.choice((rng.uniform(30, 90), rng.uniform(90, 500)))),
        ripple=draw_waves(rng, 5, 60),
    )


def slice_grid(patient: Patient, scan: HeadScan, index: int) -> tuple[SliceGrid, FloatArray]:
    """Place the coarse samples of slice index; and (h, w, S) mm from the table's midline."""
    coarse = scan.size // COARSE
    along = (np.arange(coarse) * COARSE + (COARSE - 1) / 2 - (scan.size - 1) / 2) * scan.pixel_mm
    middle = scan.first_mm + index * scan.step_mm - scan.center_mm
    normal = np.cross([1.0, 0, 0], scan.down_axis)
    scale = np.asarray(patient.scale_xyz)
    planes = scan.thin * np.asarray(SUBSLICES_MM)[:, None] * normal
    axes = []
    for axis in range(3):
        inward = scan.head[:, axis] / scale[axis]
        rows = along * float(scan.down_axis @ inward)
        columns = along * float(inward[0])
        offsets = float(middle @ inward) + planes @ inward
        grid = rows[:, None, None] + columns[None, :, None] + offsets
        axes.append(grid.astype(np.float32))
    x, y, z = axes
    bend = [evaluate_waves(w, x, y, z) for w in patient.warp]
    for axis_values, shift in zip((x, y, z), bend, strict=True):
        axis_values += patient.warp_mm * shift
    shape = (coarse, coarse, len(SUBSLICES_MM))
    lower = along * float(scan.down_axis[1]) + float(middle[1])
    down = np.broadcast_to(lower[:, None, None], shape) + planes[:, 1]
    across = np.broadcast_to((along + float(middle[0]))[None, :, None], shape)
    pixel = scan.pixel_mm / float(np.mean(scale))
    return SliceGrid(x, y, z, down.astype(np.float32), pixel), across.astype(np.float32)


def paint_table(scan: HeadScan, grid: SliceGrid, across: FloatArray, hu: FloatArray) -> None:
    """Paint the shell under the head, a gel cushion on it, pads next to the head; hu (H, W, S)."""
    if scan.cushion_mm or scan.side_mm:
        wave = evaluate_waves(scan.ripple, across, grid.down, grid.z)
    if scan.holder_mm:
        radius = np.sqrt(across * across + (grid.down + 4) ** 2)
        if scan.cushion_mm:
            thick = scan.cushion_mm * np.clip(0.5 + 0.7 * wave, 0, 1.3)
            gel = np.abs(radius - scan.holder_mm + 2 + 0.5 * thick) - 0.5 * thick
            paint(hu, np.maximum(gel, 52 - grid.down), scan.cushion_hu, grid.pixel)
        shell = np.maximum(np.abs(radius - scan.holder_mm) - 1.6, 38 - grid.down)
        paint(hu, shell, scan.holder_hu, grid.pixel)
    if scan.side_mm:
        pad = np.abs(np.abs(across) - 94) - scan.side_mm * np.clip(0.6 + 0.4 * wave, 0.15, 1)
        paint(hu, np.maximum(pad, np.abs(grid.down - 20) - 38), scan.side_hu, grid.pixel)


def _harden(
    rng: np.random.Generator, scan: HeadScan, picture: FloatArray, inside: FloatArray
) -> FloatArray:
    """Compute what bone does to rays: dark bands and streaks, (h, w) HU.

    picture: (h, w) true HU on the coarse grid; inside: (h, w), the cavity's implicit function, mm.
    """
    pixel = scan.pixel_mm * COARSE
    dark = np.minimum(scan.hardening * harden_beam(picture, pixel, SKULL_MM), 25)
    left, _ = bone_paths(picture, pixel)
    rows = np.maximum(left[:, -1] - 2 * SKULL_MM, 0) * (scan.streak_hu / 50)
    total: FloatArray = draw_streaks(rng, len(picture), np.minimum(rows, 12), 14.0) - dark
    within = inside < 2
    if within.any():
        total += 0.5 * float(dark[within].mean())  # a correction for the whole slice
    total *= inside < 6
    return total


def acquire(
    rng: np.random.Generator,
    scan: HeadScan,
    index: int,
    planes: FloatArray,
    *,
    grid: SliceGrid,
    inside: FloatArray,
) -> Float32Array:
    """Measure slice index: planes (H, W, S) of true HU become one picture (H, W), HU.

    inside: (h, w, S), the implicit function of the dura's cavity, mm.
    """
    picture: Float32Array = plane_mean(planes)
    bias = (
        scan.cupping_hu * np.exp(np.minimum(inside[..., :1], 0) * (1 / 9)) * (inside[..., :1] < 4)
    )
    bias[..., 0] += scan.offset_hu
    if grid.span.lowest < 0:
        coarse = cv2.resize(
            picture, None, fx=1 / COARSE, fy=1 / COARSE, interpolation=cv2.INTER_AREA
        )
        bias[..., 0] += _harden(rng, scan, coarse, inside[..., 0])
    picture += enlarge(bias.astype(np.float32))[..., 0]
    if index in scan.moving:
        shift = np.array([[1, 0, rng.normal(0, 2.5)], [0, 1, rng.normal(0, 1.5)]], np.float32)
        ghost = cv2.warpAffine(picture, shift, picture.shape[::-1], borderValue=LOWEST_HU)
        picture = 0.6 * picture + 0.4 * ghost
    picture = cv2.GaussianBlur(picture, (0, 0), scan.blur_mm / scan.pixel_mm)
    if scan.sharpen > 0.15:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.1)
        picture += scan.sharpen * np.clip(picture - soft, -60, 60)
    picture += draw_noise(rng, scan.size, scan.noise_hu, scan.grain_pixels)
    return np.maximum(picture, LOWEST_HU)
