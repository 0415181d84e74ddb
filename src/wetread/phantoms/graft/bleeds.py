"""phantoms/graft/bleeds.py: five kinds of bleeding as areas of one real slice.

Each function draws one: distances in mm (rows, columns) that are below 0 where blood is, and its
HU. Sizes are those of the head phantoms (phantoms/head/injuries.py); densities go lower, as an area
that a slice shares with its neighbors or that is some days old has them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp

import cv2
import numpy as np
from scipy import ndimage

from wetread.archive.types import Float32Array
from wetread.phantoms.graft.cranium import Cranium

OUTSIDE_MM = 99.0


@dataclass(frozen=True, eq=False)
class Bleeding:
    """A bleeding on a slice.

    solid_mm: (rows, columns) float32, below 0 where blood is.
    share:    (rows, columns) float32 in [0, 1], of each pixel that blood can take: where it only
              replaces fluid, the share that is fluid.
    hu:       (rows, columns) float32, of blood.
    edema_mm: how far edema reaches round it, and its edema_hu.
    push_mm:  by which tissue is displaced at its edge, and push_from, row and column, whence.
    """

    finding: str
    solid_mm: Float32Array
    share: Float32Array
    hu: Float32Array
    edema_mm: float = 0.0
    edema_hu: float = 18.0
    push_mm: float = 0.0
    push_from: tuple[float, float] = (0.0, 0.0)


DrawBleeding = Callable[[np.random.Generator, Cranium], "Bleeding | None"]


def draw_epidural(rng: np.random.Generator, cranium: Cranium) -> Bleeding | None:
    """Draw a biconvex lens on the inner table, thicker than the skull's own curve."""
    thick = _lognormal(rng, 11, 0.42, 5, 36)
    reach = float(np.clip(np.sqrt(150 * thick) * rng.uniform(0.6, 0.85), 15, 52))
    row, column = _on_rim(rng, cranium, lateral=True)
    dome = thick * (1 - (_distance_mm(cranium, row, column) / reach) ** 2)
    solid = _within(cranium, cranium.depth_mm - dome)
    hu = rng.uniform(52, 76)
    return _plain("epidural", cranium, solid, hu, push_mm=0.55 * thick, push_from=(row, column))


def draw_subdural(rng: np.random.Generator, cranium: Cranium) -> Bleeding | None:
    """Draw a crescent along one convexity, now and then of old fluid above fresh blood, or a sheet
    beside the falx."""
    middle_row, middle_column = cranium.center
    rows, columns = np.indices(cranium.inside.shape, np.float32)
    if rng.random() < 0.2:
        return _draw_along_falx(rng, cranium)
    row, column = _on_rim(rng, cranium, lateral=True)
    angle = np.arctan2(rows - middle_row, columns - middle_column)
    apart = np.angle(np.exp(1j * (angle - np.arctan2(row - middle_row, column - middle_column))))
    rest = 1 - (apart / rng.uniform(0.55, 1.1)) ** 2
    thick = _lognormal(rng, 5.0, 0.45, 2.5, 25)
    profile = thick * np.sign(rest) * np.abs(rest) ** 0.7
    side = np.sign(column - middle_column) * (columns - middle_column) * cranium.pixel_mm
    solid = _within(cranium, cranium.depth_mm - np.minimum(profile, 0.9 * (side - 1.5)))
    hu = np.full(solid.shape, rng.uniform(46, 70), np.float32)
    if rng.random() < 0.22:  # old fluid in front, fresh blood settled behind
        level = np.clip((rows - row) * cranium.pixel_mm * 0.15 + 0.5, 0, 1)
        old = rng.uniform(22, 42)
        hu = np.asarray(old + level * (rng.uniform(48, 66) - old), np.float32)
    ones = np.ones_like(hu)
    push = 0.55 * thick if thick > 4 else 0.0
    return Bleeding("subdural", solid, ones, hu, push_mm=push, push_from=(row, column))


def _draw_along_falx(rng: np.random.Generator, cranium: Cranium) -> Bleeding:
    """Draw a sheet on one side of the midline, from the front or the back of the skull."""
    rows, columns = np.indices(cranium.inside.shape, np.float32)
    _, middle_column = cranium.center
    found = np.flatnonzero(cranium.inside.any(1)) * cranium.pixel_mm
    thick, reach = _lognormal(rng, 3.4, 0.35, 2.4, 9), rng.uniform(20, 55)
    start = found.max() if rng.random() < 0.7 else found.min()
    across = (columns - middle_column) * cranium.pixel_mm * rng.choice((-1, 1))
    along = np.abs(rows * cranium.pixel_mm - start) - reach
    solid = np.maximum(np.abs(across - thick / 2) - thick / 2, 0.5 * along)
    return _plain("subdural", cranium, _within(cranium, solid), rng.uniform(50, 72))


def draw_intraparenchymal(rng: np.random.Generator, cranium: Cranium) -> Bleeding | None:
    """Draw a lobed clot within the tissue, with a rim of edema."""
    size = _lognormal(rng, 9.5, 0.4, 4, 25)  # radius, mm
    tissue = np.argwhere((cranium.depth_mm > 5 + 0.5 * size) & (cranium.csf < 0.3))
    if not len(tissue):
        return None
    row, column = (float(value) for value in tissue[rng.integers(len(tissue))])
    solid = _lobe(rng, cranium, row, column, size)
    for _ in range(int(rng.integers(0, 3))):
        shift = rng.normal(0, 0.55 * size / cranium.pixel_mm, 2)
        lobe = _lobe(rng, cranium, row + shift[0], column + shift[1], size * rng.uniform(0.4, 0.75))
        solid = np.minimum(solid, lobe)
    solid = solid + 0.13 * size * _field(rng, solid.shape, max(size, 6) / cranium.pixel_mm)
    solid = np.maximum(solid, 2.0 - cranium.depth_mm).astype(np.float32)
    return _plain(
        "intraparenchymal", cranium, solid, rng.uniform(46, 72),
        edema_mm=rng.uniform(1.0, 3.0) + 0.25 * size * rng.random(),
        edema_hu=rng.uniform(14, 22),
        push_mm=0.45 * max(size - 5, 0.0),
        push_from=(row, column),
    )  # fmt: skip


def draw_subarachnoid(rng: np.random.Generator, cranium: Cranium) -> Bleeding | None:
    """Draw blood in the fluid of sulci and fissures near a point of the surface; None where no
    fluid is to be seen there."""
    surface = np.argwhere((cranium.csf > 0.4) & ~cranium.ventricles & (cranium.depth_mm > 1))
    if len(surface) < 5:
        return None
    row, column = surface[rng.integers(len(surface))]
    reach = _lognormal(rng, 24, 0.4, 10, 60)
    solid = _distance_mm(cranium, row, column) - reach
    solid += 0.3 * reach * _field(rng, solid.shape, 18 / cranium.pixel_mm)
    # Swollen by blood: threads are wider than the fluid that is seen without it.
    swollen = cv2.dilate(cranium.csf, np.ones((3, 3))) * rng.uniform(0.3, 0.9)
    share = np.where(cranium.ventricles, 0, np.maximum(cranium.csf, swollen)) * cranium.inside
    hu = np.full(solid.shape, rng.uniform(46, 66), np.float32)
    return Bleeding("subarachnoid", solid.astype(np.float32), share.astype(np.float32), hu)


def draw_intraventricular(rng: np.random.Generator, cranium: Cranium) -> Bleeding | None:
    """Draw blood at the lowest place of a ventricle with a horizontal level, or a cast of all of
    them; None where no ventricle is seen."""
    parts, count = ndimage.label(cranium.ventricles)
    if not count:
        return None
    rows = np.indices(parts.shape, np.float32)[0] * cranium.pixel_mm
    solid: Float32Array = np.full(parts.shape, OUTSIDE_MM, np.float32)
    cast = rng.random() < 0.3
    for part in range(1, count + 1):
        if part > 1 and rng.random() < 0.4:
            continue
        own = parts == part
        edge = _signed_distance_mm(own, cranium.pixel_mm)
        level = rows[own].max() - _lognormal(rng, 11, 0.4, 4, 26) - rows
        solid = np.minimum(solid, edge if cast else np.maximum(edge, level)).astype(np.float32)
    return _plain("intraventricular", cranium, solid - 0.5, rng.uniform(46, 72))


DRAW: dict[str, DrawBleeding] = {
    "epidural": draw_epidural,
    "intraparenchymal": draw_intraparenchymal,
    "intraventricular": draw_intraventricular,
    "subarachnoid": draw_subarachnoid,
    "subdural": draw_subdural,
}


def _plain(
    finding: str,
    cranium: Cranium,
    solid_mm: Float32Array,
    hu: float,
    *,
    edema_mm: float = 0.0,
    edema_hu: float = 18.0,
    push_mm: float = 0.0,
    push_from: tuple[float, float] = (0.0, 0.0),
) -> Bleeding:
    """Make a bleeding of one density that takes all it covers within the skull."""
    solid = solid_mm.astype(np.float32)
    share = cranium.inside.astype(np.float32)
    density = np.full(solid.shape, hu, np.float32)
    return Bleeding(finding, solid, share, density, edema_mm, edema_hu, push_mm, push_from)


def _within(cranium: Cranium, solid_mm: Float32Array) -> Float32Array:
    return np.where(cranium.inside, solid_mm, OUTSIDE_MM).astype(np.float32)


def _on_rim(rng: np.random.Generator, cranium: Cranium, *, lateral: bool) -> tuple[float, float]:
    """Draw a pixel at the inner table; lateral: away from the midline."""
    rim = cranium.rim()
    columns = np.flatnonzero(cranium.inside.any(0))
    half = 0.5 * (columns.max() - columns.min())
    if lateral:
        away = np.abs(rim[:, 1] - cranium.center[1]) > 0.35 * half
        rim = rim[away] if away.any() else rim
    row, column = rim[rng.integers(len(rim))]
    return float(row), float(column)


def _distance_mm(cranium: Cranium, row: float, column: float) -> Float32Array:
    rows, columns = np.indices(cranium.inside.shape, np.float32)
    distance: Float32Array = np.hypot(rows - row, columns - column) * cranium.pixel_mm
    return distance


def _lobe(
    rng: np.random.Generator, cranium: Cranium, row: float, column: float, size: float
) -> Float32Array:
    """Compute distances from an ellipse, mm, of a random direction and lengths near size."""
    rows, columns = np.indices(cranium.inside.shape, np.float32)
    turn, (a, b) = rng.uniform(0, np.pi), size * rng.uniform(0.75, 1.3, 2)
    down, across = (rows - row) * cranium.pixel_mm, (columns - column) * cranium.pixel_mm
    along = np.cos(turn) * across + np.sin(turn) * down
    aside = np.cos(turn) * down - np.sin(turn) * across
    lobe: Float32Array = (np.hypot(along / a, aside / b) - 1) * min(a, b)
    return lobe


def _field(rng: np.random.Generator, shape: tuple[int, ...], pixels: float) -> Float32Array:
    """Draw a smooth field of mean 0 and deviation 1 that changes over so many pixels."""
    noise = cv2.GaussianBlur(rng.normal(size=shape).astype(np.float32), (0, 0), max(pixels, 0.5))
    field: Float32Array = (noise - noise.mean()) / max(float(noise.std()), 1e-6)
    return field


def _signed_distance_mm(area: np.ndarray, pixel_mm: float) -> Float32Array:
    """Compute the distance from the edge of an area (rows, columns) bool, mm, below 0 within."""
    out, within = (ndimage.distance_transform_edt(one) for one in (~area, area))
    signed: Float32Array = ((out - within) * pixel_mm).astype(np.float32)
    return signed


def _lognormal(
    rng: np.random.Generator, median: float, spread: float, low: float, high: float
) -> float:
    return float(np.clip(median * exp(spread * rng.normal()), low, high))
