"""phantoms/radiograph/exposure.py: matter in lines of sight becomes the gray of a film."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin

import cv2
import numpy as np

from wetread.archive.types import BoolArray, Float32Array, FloatArray
from wetread.phantoms.shapes.clouds import Cloud

# Attenuation at the beam's mean energy behind a patient (about 65 keV), 1 / mm
SOFT, BONE = 0.0190, 0.058
TOE = 0.08  # of the display: gray below it is compressed


@dataclass(frozen=True)
class Beam:
    """Geometry of one exposure.

    view:      "PA" or "AP"; source_mm: from the focus to the chest's middle.
    tilt:      of the beam, slope of z along y; yaw, roll: of the patient, radians.
    center:    (x, z) mm of the film's middle; pixel_mm: in the chest's middle.
    stretch:   mm between rows over mm between columns: archives squeeze films into squares.
    """

    view: str
    supine: bool
    source_mm: float
    tilt: float
    yaw: float
    roll: float
    center: tuple[float, float]
    pixel_mm: float
    size: int
    stretch: float = 1.0


@dataclass(frozen=True, eq=False)
class Sightlines:
    """Lines of sight at the depth of the chest's middle: x, z (H, W) mm, and their distance, mm."""

    x: FloatArray
    z: FloatArray
    pixel_mm: float


@dataclass(frozen=True)
class Detector:
    """Settings of the film's detector and display.

    photons: a pixel of 1 mm in open field; scatter: over primary, behind the mean chest.
    blur_mm: of focus and screen; gain: of detail over the base; edge: sharpening.
    low, high: the gray that lung and mediastinum get, 0 to 1; bend: exponent of the display;
    shoulder:  gray above it is compressed; dense: percentile of the body that gets high;
    fog:       the least gray; heel: unevenness of the beam, minus log across half the film.
    equal:     clip limit of the local equalization of histograms, 0 for none.
    """

    photons: float
    scatter: float
    blur_mm: float
    gain: float
    edge: float
    low: float
    high: float
    bend: float
    shoulder: float
    dense: float
    fog: float
    heel: tuple[float, float]
    equal: float = 0.0


def draw_beam(rng: np.random.Generator, width_mm: float, size: int) -> Beam:
    """Draw a beam: about 6 in 10 PA at 1.7 m; AP at 0.9-1.25 m, 4 in 10 of these supine.

    width_mm: of the chest; size: edge of the film in pixels.
    """
    view = "PA" if rng.random() < 0.59 else "AP"
    ap = view == "AP"
    supine = bool(ap and rng.random() < 0.4)
    loose = 2.0 if ap else 1.0
    field = width_mm * (rng.uniform(1.15, 1.75) if ap else rng.uniform(1.12, 1.45))
    return Beam(
        view=view,
        supine=supine,
        source_mm=float(rng.uniform(900, 1250) if ap else rng.uniform(1650, 1750)),
        tilt=float(rng.normal(0.10, 0.07) if ap else rng.normal(0.0, 0.03)),
        yaw=float(rng.normal(0, 0.045 * loose)),
        roll=float(rng.normal(0, 0.02 * loose)),
        center=(float(rng.normal(0, 7 * loose)), float(rng.normal(-10, 10 * loose))),
        pixel_mm=float(field / size),
        size=size,
        stretch=float(np.clip(rng.normal(1, 0.09), 0.8, 1.25)),
    )


def draw_detector(rng: np.random.Generator, view: str) -> Detector:
    """Draw a detector; portable machines (AP) have no grid: more scatter, more noise."""
    ap = view == "AP"
    return Detector(
        photons=float(rng.uniform(0.6, 2.0) * (8e4 if ap else 2e5)),
        scatter=float(rng.uniform(0.3, 0.9) if ap else rng.uniform(0.1, 0.4)),
        blur_mm=float(rng.uniform(0.25, 0.7)),
        gain=float(rng.uniform(0.75, 1.45)),
        edge=float(rng.uniform(0.0, 0.8)),
        low=float(np.clip(rng.normal(0.30 if ap else 0.25, 0.09), 0.06, 0.5)),
        high=float(np.clip(rng.normal(0.69 if ap else 0.74, 0.08), 0.55, 0.95)),
        bend=float(np.exp(rng.normal(0, 0.15))),
        shoulder=float(rng.uniform(0.55, 0.8)),
        dense=float(rng.uniform(70, 90)),
        fog=float(np.clip(abs(rng.normal(0, 0.04)), 0, 0.12)),
        heel=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.10))),
        equal=float(rng.uniform(0.8, 2.2) * (rng.random() < 0.25)),
    )


def magnify(beam: Beam, y: FloatArray | float) -> FloatArray | float:
    """Compute how much larger matter at depth y, mm, any shape, appears than in the middle."""
    toward = -y if beam.view == "AP" else y
    return beam.source_mm / (beam.source_mm - toward)


def sight(beam: Beam, y: float) -> tuple[FloatArray, FloatArray]:
    """Compute x and z, (H, W) float32 mm each, that the pixels show of the plane at depth y."""
    along = ((np.arange(beam.size) - (beam.size - 1) / 2) * beam.pixel_mm).astype(np.float32)
    c, s = cos(beam.roll), sin(beam.roll)
    down = along * beam.stretch
    u = c * along[None, :] + s * down[:, None] + beam.center[0]
    v = s * along[None, :] - c * down[:, None] + beam.center[1]
    scale = float(magnify(beam, y))
    x = u * (1 / scale) - y * sin(beam.yaw)
    z = v * (1 / scale) - y * beam.tilt
    return x.astype(np.float32), z.astype(np.float32)


def project(beam: Beam, cloud: Cloud) -> FloatArray:
    """Project a cloud in perspective: (H, W) float32, mm of its matter in each line of sight."""
    x, y, z = cloud.place.T
    turned = x + y * sin(beam.yaw)
    scale = magnify(beam, y)
    u = turned * scale - beam.center[0]
    v = (z + y * beam.tilt) * scale - beam.center[1]
    column = (cos(beam.roll) * u + sin(beam.roll) * v) * (1 / beam.pixel_mm) + (beam.size - 1) / 2
    pixel = (beam.pixel_mm, beam.pixel_mm * beam.stretch)
    row = (sin(beam.roll) * u - cos(beam.roll) * v) * (1 / pixel[1]) + (beam.size - 1) / 2
    return splat(row, column, cloud.mass * scale**2 * (1 / (pixel[0] * pixel[1])), beam.size)


def splat(row: FloatArray, column: FloatArray, weight: FloatArray, size: int) -> FloatArray:
    """Sum weights (N,) at row and column (N,) on (size, size): each falls into a quarter pixel."""
    fine, pad = 2, 4
    wide = (size + 2 * pad) * fine
    up, across = (row + (pad + 0.5)) * fine, (column + (pad + 0.5)) * fine
    index = np.clip(up, 0, wide - 1).astype(np.int32) * wide
    index += np.clip(across, 0, wide - 1).astype(np.int32)
    total = np.bincount(index, weight, minlength=wide * wide)
    halves = total.reshape(wide, wide)[fine * pad : -fine * pad, fine * pad : -fine * pad]
    quarters = halves.reshape(size, fine, size, fine)
    picture: FloatArray = quarters.sum(axis=(1, 3)).astype(np.float32)
    return picture


def soften(picture: FloatArray, sigma_pixels: float) -> FloatArray:
    """Blur a square picture (H, H) by a Gaussian; a wide blur is computed on a smaller picture."""
    size = picture.shape[0]
    if sigma_pixels < 6:
        blurred: FloatArray = cv2.GaussianBlur(picture, (0, 0), max(sigma_pixels, 0.1))
        return blurred
    step = 2 ** int(np.log2(sigma_pixels / 2.5))
    small = cv2.resize(picture, (size // step, size // step), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_pixels / step)
    large: FloatArray = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
    return large


def expose(
    rng: np.random.Generator, detector: Detector, beam: Beam, depth: FloatArray
) -> Float32Array:
    """Convert attenuation integrals (H, W) to minus log of the measured signal, (H, W)."""
    pixel = beam.pixel_mm
    primary = cv2.GaussianBlur(np.exp(-depth), (0, 0), max(detector.blur_mm / pixel, 0.25))
    veil = soften(np.minimum(primary, 0.4), 40 / pixel)
    veil = 0.6 * veil + 0.4 * float(np.exp(-2.6))
    signal = primary + detector.scatter * veil
    noise = rng.standard_normal(signal.shape, dtype=np.float32)
    deviation = 1 / (pixel * np.sqrt(detector.photons * signal))
    measured: Float32Array = -np.log(signal)
    grain = cv2.GaussianBlur(noise, (0, 0), 0.55)
    measured += 1.2 * grain * deviation
    along = np.linspace(-1, 1, beam.size, dtype=np.float32)
    measured += detector.heel[0] * along[None, :] + detector.heel[1] * along[:, None]
    return measured


def develop(detector: Detector, beam: Beam, measured: FloatArray, body: BoolArray) -> Float32Array:
    """Convert minus log of the signal (H, W) to gray (H, W) in 0..1; bright: little came through.

    body: (H, W), where the levels are taken from.
    """
    pixel = beam.pixel_mm
    base = soften(measured, 14 / pixel)
    picture = base + detector.gain * (measured - base)
    if detector.edge > 0.05:
        picture += detector.edge * (measured - cv2.GaussianBlur(measured, (0, 0), 1.4 / pixel))
    dark, bright = np.percentile(picture[body][::7], (12, detector.dense))
    slope = (detector.high - detector.low) / max(bright - dark, 0.2)
    gray = detector.low + (picture - dark) * slope
    shoulder = detector.shoulder
    # shoulder and toe: nothing is cut off at once
    above, below = np.maximum(gray - shoulder, 0), np.maximum(TOE - gray, 0)
    gray = np.clip(gray, TOE, shoulder)
    gray += (1 - shoulder) * (1 - np.exp(-above / (1 - shoulder)))
    gray -= TOE * (1 - np.exp(-below / TOE))
    result: Float32Array = np.clip(gray, 0, 1).astype(np.float32) ** detector.bend
    if detector.equal:
        result = _equalize(result, detector.equal)
    return detector.fog + (1 - detector.fog) * result


def _equalize(gray: Float32Array, limit: float) -> Float32Array:
    """Equalize gray (H, W) in 0..1 by its neighborhood (CLAHE), half and half with itself."""
    levels = np.rint(gray * 65535).astype(np.uint16)
    equal = cv2.createCLAHE(limit, (4, 4)).apply(levels)
    mixed: Float32Array = 0.5 * gray + equal * np.float32(0.5 / 65535)
    return mixed
