"""phantoms/graft/head.py: bleedings painted into a real slice of a head without any."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from wetread.archive.types import Float32Array
from wetread.phantoms.graft.bleeds import DRAW, Bleeding
from wetread.phantoms.graft.cranium import Cranium, find_cranium
from wetread.phantoms.head.blood import SUBTYPES
from wetread.phantoms.head.study import VISIBLE_MM2
from wetread.training.slices.grafts import Grafted

# How often each is drawn: by slice as in the competition, epidural blood more often, as the
# phantoms have it (phantoms/head/injuries.py).
CHANCES = {
    "epidural": 0.10,
    "intraparenchymal": 0.25,
    "intraventricular": 0.14,
    "subarachnoid": 0.21,
    "subdural": 0.30,
}
SECOND = 0.25  # chance of a second bleeding of another kind
TRIES = 4  # kinds that are drawn until one has its place in the slice
TEXTURE_HU = 4.0  # of a clot
EDGE_PIXELS = (0.4, 1.2)  # deviation of what the scanner does to an edge
NEIGHBOR_MM = 1.5  # by which a bleeding is narrower on each slice further away


def paint_head_bleeding(
    values: Float32Array, about: Mapping[str, object], rng: np.random.Generator
) -> Grafted | None:
    """Paint one bleeding or two into values (1 + 2k, rows, columns), HU of a crop round the head; a
    PaintGraft of training/slices/grafts.py. None where no brain within a skull is found, or none
    that was drawn has its place there."""
    middle = values.shape[0] // 2
    cranium = find_cranium(values[middle])
    if cranium is None:
        return None
    bleedings = _draw(rng, cranium)
    if not bleedings:
        return None
    painted = values.copy()
    masks = np.zeros((len(SUBTYPES), *values.shape[1:]), np.float32)
    for bleeding in bleedings:
        for number, hu in enumerate(painted):
            narrower = NEIGHBOR_MM * abs(number - middle)
            painted[number], cover = paint_bleeding(hu, bleeding, cranium, rng, narrower)
            if number == middle:
                at = SUBTYPES.index(bleeding.finding)
                masks[at] = np.maximum(masks[at], cover)
    visible = masks.sum((1, 2)) * cranium.pixel_mm**2 >= VISIBLE_MM2
    if not visible.any():
        return None
    names = [name for name, shown in zip(SUBTYPES, visible, strict=True) if shown]
    return Grafted(painted, (*names, "any"), masks)


def _draw(rng: np.random.Generator, cranium: Cranium) -> list[Bleeding]:
    wanted = 1 + int(rng.random() < SECOND)
    found: list[Bleeding] = []
    kinds = rng.choice(list(CHANCES), TRIES, replace=False, p=list(CHANCES.values()))
    for kind in kinds.tolist():
        bleeding = DRAW[kind](rng, cranium)
        if bleeding is not None and len(found) < wanted:
            found.append(bleeding)
    return found


def paint_bleeding(
    hu: Float32Array,
    bleeding: Bleeding,
    cranium: Cranium,
    rng: np.random.Generator,
    narrower_mm: float = 0.0,
) -> tuple[Float32Array, Float32Array]:
    """Paint a bleeding into a slice, HU (rows, columns), whose noise stays.

    Returns the slice and the share of each of its pixels that is blood.

    narrower_mm: by how much its edge lies further within.
    """
    hu = _push(hu, bleeding, cranium)
    solid = bleeding.solid_mm + narrower_mm
    noise = np.clip(hu - cv2.GaussianBlur(hu, (0, 0), 1.5), -15, 15)
    if bleeding.edema_mm:
        rim = _cover(solid - bleeding.edema_mm, cranium) * cranium.inside
        rim = cv2.GaussianBlur(rim.astype(np.float32), (0, 0), 1.0)
        hu = hu + rim * np.minimum(bleeding.edema_hu + noise - hu, 0)
    cover = (_cover(solid, cranium) * bleeding.share).astype(np.float32)
    cover = cv2.GaussianBlur(cover, (0, 0), rng.uniform(*EDGE_PIXELS))
    cover = np.minimum(cover, 1) * cranium.inside
    texture = cv2.GaussianBlur(rng.normal(size=hu.shape).astype(np.float32), (0, 0), 2.5)
    texture *= TEXTURE_HU / max(float(texture.std()), 1e-6)
    painted = hu + cover * (bleeding.hu + texture + noise - hu)
    return painted.astype(np.float32), cover


def _cover(solid_mm: Float32Array, cranium: Cranium) -> Float32Array:
    """Compute the share of each pixel (rows, columns) below 0, as of an edge at its distance."""
    cover: Float32Array = np.clip(0.5 - solid_mm / cranium.pixel_mm, 0, 1)
    return cover


def _push(hu: Float32Array, bleeding: Bleeding, cranium: Cranium) -> Float32Array:
    """Displace the tissue of a slice (rows, columns) away from a mass; the skull stays."""
    if bleeding.push_mm < 0.8:
        return hu
    rows, columns = np.indices(hu.shape, np.float32)
    down, across = rows - bleeding.push_from[0], columns - bleeding.push_from[1]
    away = np.maximum(np.hypot(down, across), 12.0 / cranium.pixel_mm)
    force = bleeding.push_mm / cranium.pixel_mm
    force = force * np.exp(-((away * cranium.pixel_mm / 40.0) ** 2)) / away
    force = force * np.clip(cranium.depth_mm / 12.0, 0, 1)  # none at the skull
    moved: Float32Array = cv2.remap(
        hu,
        (columns - force * across).astype(np.float32),
        (rows - force * down).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.where(cranium.inside, moved, hu)
