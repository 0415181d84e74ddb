"""phantoms/angiogram/scan.py: where a CT angiogram's slices lie, and how they are measured."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from wetread.archive.types import Float32Array, Float64Array, FloatArray
from wetread.phantoms.chest.chest import Chest
from wetread.phantoms.scanner.noise import draw_noise
from wetread.phantoms.scanner.stored_values import LOWEST_HU
from wetread.phantoms.shapes.slab import Slab

PLANE_MM = 1.7  # a slice is the mean of planes no further apart
REFERENCE_SLICES = (284, 512)  # so many slices at this size; their number goes with its square
MIN_SLICES, MAX_SLICES = 40, 300
THICKNESSES = (0.625, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)
HEART_MM = (18.0, -18.0, 42.0)  # x and y of the beating heart, and how far it is felt
VOXELS_AT_ONCE = 3_000_000


@dataclass(frozen=True)
class AngiogramScan:
    """One acquisition, on the back, head first: rows to the left, columns to the back.

    slices, size:  (slices, size, size) voxels. step_mm: between slices; thick_mm: of a slice.
    low_mm:        z of the lowest slice; center_mm: (x, y) of the picture's middle, chest mm times
                   the person's scale.
    offset_mm:     (x, y, z) from there to the patient system of the file.
    noise_hu, grain_pixels, blur_pixels: of the machine.
    signed, padded: how numbers are stored. upwards: whether files count from the feet.
    """

    slices: int
    size: int
    step_mm: float
    thick_mm: float
    pixel_mm: float
    low_mm: float
    center_mm: tuple[float, float]
    offset_mm: tuple[float, float, float]
    noise_hu: float
    grain_pixels: float
    blur_pixels: float
    signed: bool
    padded: bool
    implicit: bool
    upwards: bool

    @property
    def planes(self) -> int:
        """Count the planes that are averaged into a slice."""
        return max(1, int(np.ceil(self.thick_mm / PLANE_MM)))

    def position_mm(self, index: int) -> Float64Array:
        """Give Image Position (Patient) of slice index, counted from the feet: (3,) mm."""
        half = (self.size - 1) / 2 * self.pixel_mm
        corner = np.array([*self.center_mm, self.low_mm + index * self.step_mm])
        moved: Float64Array = corner + self.offset_mm - np.array([half, half, 0])
        return moved


def draw_angiogram_scan(
    rng: np.random.Generator, chest: Chest, size: int, difficulty: float, slices: int | None = None
) -> AngiogramScan:
    """Draw a scan from above the arch to below the domes, without knowing the exam.

    slices: None for 40 to 300, the more the larger the pictures; fewer ones are thicker. Most lie
    as far apart as they are thick, some overlap.
    """
    low = chest.pleurae[0].dome[2] - float(rng.uniform(8, 45))
    high = chest.pleurae[0].apex[1] - float(rng.uniform(0, 32))
    reach = (high - low) * chest.scale
    if slices is None:
        usual = REFERENCE_SLICES[0] * (size / REFERENCE_SLICES[1]) ** 2
        slices = int(np.clip(round(usual * rng.uniform(0.65, 1.15)), MIN_SLICES, MAX_SLICES))
    step = reach / max(slices - 1, 1)
    thick = min(THICKNESSES, key=lambda mm: abs(float(np.log(mm / step))))
    step = thick if rng.random() < 0.75 else float(np.round(thick * rng.uniform(0.8, 1.0), 3))
    middle = 0.5 * (low + high) * chest.scale
    signed = bool(rng.random() < 0.5)
    body = 2 * (chest.pleurae[0].lateral + 0.8 * chest.wall_mm) * chest.scale
    view = float(np.clip(body * rng.uniform(1.0, 1.22), 280, 430))
    fine = 512 / size
    return AngiogramScan(
        slices=slices,
        size=size,
        step_mm=step,
        thick_mm=thick,
        pixel_mm=float(np.round(view / size, 6)),
        low_mm=middle - 0.5 * step * (slices - 1),
        center_mm=(float(rng.normal(0, 7)), float(rng.normal(6, 6))),
        offset_mm=(
            float(rng.normal(0, 4)),
            float(rng.normal(-170, 25)),
            float(rng.normal(-250, 90)),
        ),
        noise_hu=float(rng.uniform(14, 26)) * difficulty / fine**0.5,
        grain_pixels=float(rng.uniform(0.6, 1.0)) / fine**0.5,
        blur_pixels=float(rng.uniform(0.55, 0.95)) / fine**0.5,
        signed=signed,
        padded=bool(signed and rng.random() < 0.7),
        implicit=bool(rng.random() < 0.75),
        upwards=bool(rng.random() < 0.3),
    )


def plane_heights(scan: AngiogramScan, first: int, last: int) -> FloatArray:
    """Compute z (P,) of all planes of slices first to last - 1, mm, slice by slice."""
    middles = scan.low_mm + np.arange(first, last) * scan.step_mm
    within = (np.arange(scan.planes) + 0.5) / scan.planes - 0.5
    return (middles[:, None] + within * scan.thick_mm).reshape(-1).astype(np.float32)


def empty_slab(scan: AngiogramScan, chest: Chest, first: int, last: int) -> Slab:
    """Make the planes of slices first to last - 1, in chest coordinates, all zero."""
    along = (np.arange(scan.size) - (scan.size - 1) / 2) * scan.pixel_mm
    x = ((along + scan.center_mm[0]) / chest.scale).astype(np.float32)
    y = ((along + scan.center_mm[1]) / chest.scale).astype(np.float32)
    z = plane_heights(scan, first, last) / np.float32(chest.scale)
    return Slab(z, y, x, np.zeros((len(z), scan.size, scan.size), np.float32))


def slab_ranges(scan: AngiogramScan) -> list[tuple[int, int]]:
    """Split a scan into ranges (first, last + 1) of slices, to bound memory."""
    count = max(1, VOXELS_AT_ONCE // (scan.size**2 * scan.planes))
    return [(at, min(at + count, scan.slices)) for at in range(0, scan.slices, count)]


def average_planes(scan: AngiogramScan, planes: FloatArray) -> FloatArray:
    """Average planes (P, H, W) into slices (S, H, W)."""
    mean: FloatArray = planes.reshape(-1, scan.planes, *planes.shape[1:]).mean(axis=1)
    return mean


def acquire_slice(
    scan: AngiogramScan, picture: FloatArray, rng: np.random.Generator
) -> Float32Array:
    """Measure a perfect slice (H, W), HU: blurred, noisy, not below air; same shape."""
    soft = cv2.GaussianBlur(picture, (0, 0), scan.blur_pixels)
    soft += draw_noise(rng, scan.size, scan.noise_hu, scan.grain_pixels) * _shadow(scan, picture)
    measured: Float32Array = np.maximum(soft, np.float32(LOWEST_HU))
    return measured


def _shadow(scan: AngiogramScan, picture: FloatArray) -> FloatArray:
    """Compute the factor of noise, (H, W): few photons come through middle and shoulders."""
    small = cv2.resize(picture, (32, 32), interpolation=cv2.INTER_AREA)
    matter = np.clip(small * 1e-3 + 1, 0, 1.4) * (scan.size * scan.pixel_mm / 32 / 200)
    across, down = matter.sum(axis=1, keepdims=True), matter.sum(axis=0, keepdims=True)
    near = cv2.GaussianBlur(0.5 * (across + down), (0, 0), 1.5)
    large: FloatArray = cv2.resize(np.clip(near, 0.45, 1.9), picture.shape[::-1])
    return large


def add_ghost(picture: FloatArray, rng: np.random.Generator, pixels: float) -> FloatArray:
    """Double a slice (H, W) of a patient who moves by about so many pixels during the scan."""
    dx, dy = rng.normal(0, pixels, 2)
    shift = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    ghost = cv2.warpAffine(picture, shift, picture.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    doubled: FloatArray = 0.55 * picture + 0.45 * ghost
    return doubled


def add_heartbeat(
    picture: FloatArray, rng: np.random.Generator, slab: Slab, mm: float
) -> FloatArray:
    """Double the heart and its neighbors in a slice (H, W) by a motion of about mm."""
    across = (slab.x[None, :] - HEART_MM[0]) / HEART_MM[2]
    down = (slab.y[:, None] - HEART_MM[1]) / HEART_MM[2]
    near = np.exp(-0.5 * (across * across + down * down))
    beat: FloatArray = picture + near * (add_ghost(picture, rng, mm / slab.pixel) - picture)
    return beat
