"""phantoms/radiograph/study.py: one chest radiograph of known truth, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from wetread.archive.types import BoolArray, Float32Array, FloatArray
from wetread.phantoms.chest.bones import (
    humerus_thickness,
    rib_cloud,
    shoulder_cloud,
    spine_thickness,
)
from wetread.phantoms.chest.chest import (
    Chest,
    Hemithorax,
    air_length,
    body_chord,
    breast_chord,
    draw_chest,
    pleural_chord,
    trachea_chord,
)
from wetread.phantoms.chest.vessels import draw_vessel_tree, vessel_cloud
from wetread.phantoms.radiograph.exposure import (
    BONE,
    SOFT,
    Beam,
    Detector,
    Sightlines,
    develop,
    draw_beam,
    draw_detector,
    expose,
    project,
    sight,
)
from wetread.phantoms.radiograph.mimics import (
    RadiographMimics,
    bulla_chords,
    draw_radiograph_mimics,
    fluid_share,
    fold_depth,
    line_cloud,
    opacity_depth,
    plate_depth,
)
from wetread.phantoms.radiograph.pneumothorax import (
    Pneumothorax,
    collapse,
    collapsed_lung,
    draw_kind,
    draw_pneumothorax,
    enlarge_air,
    push_heart,
)
from wetread.phantoms.shapes.chords import intersect, rod_chord, thickness
from wetread.phantoms.shapes.clouds import join_clouds

POSITIVE_SHARE = 0.30
MIN_MASK_SHARE = 0.0015  # of the film: the smallest mask


@dataclass(frozen=True, eq=False)
class RadiographStudy:
    """One film.

    gray: (H, W) float32 in 0..1, bright where little came through.
    mask: (H, W) bool, air in the pleural space as a reader would outline it.
    """

    gray: Float32Array
    mask: BoolArray
    chest: Chest
    beam: Beam
    detector: Detector
    pneumothorax: Pneumothorax | None
    mimics: RadiographMimics


def make_radiograph(
    rng: np.random.Generator,
    *,
    chest: Chest | None = None,
    kind: str | None = None,
    difficulty: float = 1.0,
    size: int = 256,
) -> RadiographStudy:
    """Draw a film and compute it.

    kind: of a pneumothorax, "" for none; drawn where not given. size: edge of the film in pixels.
    Raises ValueError for a size that is no multiple of 8 or below 64, or an unknown kind.
    """
    if size < 64 or size % 8:
        raise ValueError(f"size: {size} pixels; give a multiple of 8 of at least 64")
    person = chest or draw_chest(rng, bool(rng.random() < 0.49), int(rng.integers(5, 75)))
    width = person.pleurae[0].lateral + person.pleurae[1].lateral
    beam = draw_beam(rng, width, size)
    detector = draw_detector(rng, beam.view)
    mimics = draw_radiograph_mimics(rng, person, beam.view == "AP", difficulty)
    if kind is None:
        kind = draw_kind(rng, beam.supine) if rng.random() < POSITIVE_SHARE else ""
    pneumothorax = draw_pneumothorax(rng, kind, difficulty) if kind else None
    depth, body, mask, pneumothorax = _attenuate(rng, person, beam, mimics, pneumothorax)
    gray = develop(detector, beam, expose(rng, detector, beam, depth), body)
    return RadiographStudy(
        _finish(rng, beam, gray), mask, person, beam, detector, pneumothorax, mimics
    )


def _attenuate(
    rng: np.random.Generator,
    chest: Chest,
    beam: Beam,
    mimics: RadiographMimics,
    pneumothorax: Pneumothorax | None,
) -> tuple[FloatArray, BoolArray, BoolArray, Pneumothorax | None]:
    """Compute attenuation integrals, body and mask, each (H, W), and the pneumothorax as shown."""
    if pneumothorax is not None:
        chest = push_heart(chest, pneumothorax)
    x, z = sight(beam, 0.0)
    fine = 1.5 / beam.pixel_mm
    soft = _tissue(chest, beam, x, z)
    body = soft > 25
    water, ragged = _texture(rng, beam)
    mask, vessels = np.zeros(x.shape, np.bool_), []
    for part in chest.pleurae:
        half = _half(x, part.side)
        tree = draw_vessel_tree(rng)
        own = pneumothorax if pneumothorax is not None and pneumothorax.side == part.side else None
        lines = Sightlines(x[:, half], z[:, half], beam.pixel_mm)
        side = _lung_field(chest, part, own, mimics, lines)
        pneumothorax = side.pneumothorax or pneumothorax
        mask[:, half] |= side.mask
        opaque = opacity_depth(mimics.opacities, lines, side.lung, ragged[:, half])
        uneven = float(np.exp(rng.normal(0, 0.18)))  # no two lungs are aired alike
        lung = side.lung * water[:, half] * (side.density * uneven)
        soft[:, half] += lung + side.shell + opaque - side.cavity
        vessels.append(vessel_cloud(side.shape, tree, fine))
    soft = np.maximum(soft, 0) + 0.9 * project(beam, join_clouds(vessels))
    soft += plate_depth(mimics.plates, x, z) + fold_depth(mimics.folds, x, z)
    tubes = line_cloud(mimics.lines, fine)
    if tubes is not None:
        soft += project(beam, tubes)
    arms = (1.0 if beam.view == "PA" else 0.0) + rng.normal(0, 0.25)
    arms = float(np.clip(arms, -0.2, 1.2))
    bone = join_clouds([rib_cloud(chest, fine), shoulder_cloud(chest, arms, fine)])
    bones = project(beam, bone) * chest.bone
    bones += humerus_thickness(chest, arms, x, z)
    bones += spine_thickness(chest, *sight(beam, 66.0))
    return SOFT * soft + (BONE - SOFT) * bones, body, mask, pneumothorax


@dataclass(frozen=True, eq=False)
class LungField:
    """One half of the chest in lines of sight (H, W), mm.

    cavity: pleural space; lung: aerated; shell: tissue and fluid in it; density: of the lung, of
    water's; shape: the lung; pneumothorax: as shown, enlarged until it is visible.
    """

    cavity: FloatArray
    lung: FloatArray
    shell: FloatArray
    mask: BoolArray
    density: float
    shape: Hemithorax
    pneumothorax: Pneumothorax | None


def _lung_field(
    chest: Chest,
    part: Hemithorax,
    pneumothorax: Pneumothorax | None,
    mimics: RadiographMimics,
    lines: Sightlines,
) -> LungField:
    """Compute the pleural space of one side and its contents; pneumothorax: of this side."""
    x, z = lines.x, lines.z
    density, shape = chest.lung_density, part
    if pneumothorax is None:
        chord = pleural_chord(part, x, z, chest)
        cavity = air_length(chest, part, x, z, chord)
        lung, shell, mask = cavity, np.zeros_like(x), np.zeros(x.shape, np.bool_)
    else:
        collapsed = collapse(chest, part, pneumothorax, lines)
        while collapsed.mask.sum() < MIN_MASK_SHARE * x.shape[0] ** 2:
            pneumothorax = enlarge_air(pneumothorax, 1.3)
            collapsed = collapse(chest, part, pneumothorax, lines)
        chord, lung, shell, mask = collapsed.chord, collapsed.lung, collapsed.pleura, collapsed.mask
        cavity = lung + collapsed.air
        squeezed = float(cavity.sum()) / max(float(lung.sum()), 1.0)
        density = min(density * squeezed**0.7, 0.8)
        shape = collapsed_lung(part, pneumothorax)
    fluid = fluid_share(mimics.effusion, part, x, z)
    if fluid is not None:
        shell = shell + lung * fluid
        lung = lung * (1 - fluid)
    for hole, wall in bulla_chords(mimics.bullae, x, z):
        share = np.minimum(thickness(intersect(hole, chord)), lung)
        lung = lung - share
        shell = shell + wall * (share > 0)
    return LungField(cavity, lung, shell, mask, density, shape, pneumothorax)


def _half(x: FloatArray, side: int) -> slice:
    """Find the columns that show anything of one side; x: (H, W) mm."""
    shown = np.flatnonzero((x * side > 0).any(axis=0))
    return slice(int(shown[0]), int(shown[-1]) + 1)


def _tissue(chest: Chest, beam: Beam, x: FloatArray, z: FloatArray) -> FloatArray:
    """Compute the body, its lungs not yet taken out, (H, W) mm: trunk, arms, breasts, airways."""
    soft = thickness(body_chord(chest, x, z))
    wide = 176 + 0.4 * chest.wall_mm
    for side in (-1, 1):
        top = (side * (wide - 16), 10.0, chest.shoulder_z - 34, 40.0)
        low = (side * (wide + 34), 10.0, chest.shoulder_z - 270, 40.0)
        soft = np.maximum(soft, thickness(rod_chord(x, z, top, low)))
        if chest.breast_mm:
            fx, fz = sight(beam, -chest.pleurae[0].depth)
            soft = soft + thickness(breast_chord(chest, side, fx, fz))
    soft = soft - thickness(trachea_chord(x, z))
    if chest.stomach:
        left = chest.pleurae[1]
        center = (left.dome[0] - 8, left.dome[2] - 16 - 0.5 * chest.stomach)
        reach = chest.stomach**2 - (x - center[0]) ** 2 - 2.2 * (z - center[1]) ** 2
        soft = soft - 1.4 * np.sqrt(np.maximum(reach, 0))
    return np.maximum(soft, 0)


def _texture(rng: np.random.Generator, beam: Beam) -> tuple[FloatArray, FloatArray]:
    """Draw a variation of the lung's density, mean 1, and a field of mean 0, SD 1; (H, W)."""
    size = beam.size
    total: FloatArray = np.ones((size, size), np.float32)
    ragged: FloatArray = np.zeros((size, size), np.float32)
    for grain_mm, strength in ((45.0, 0.08), (14.0, 0.06), (6.0, 0.05), (3.0, 0.05)):
        count = min(max(int(size * beam.pixel_mm / grain_mm), 2), size)
        small = rng.standard_normal((count, count), dtype=np.float32)
        layer = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
        total += strength * layer
        ragged += min(grain_mm, 16.0) / 16.0 * layer
    return np.maximum(total, 0.3), ragged


def _finish(rng: np.random.Generator, beam: Beam, gray: Float32Array) -> Float32Array:
    """Add collimation and the letters that technicians put on films; gray (H, W), in place."""
    size = beam.size
    if rng.random() < 0.4:
        edges = rng.gamma(1.2, 0.018, 4) * (rng.random(4) < 0.6) * size
        top, bottom, left, right = (int(min(e, 0.12 * size)) for e in edges)
        shade = float(rng.choice((0.0, 0.02, 0.98), p=(0.6, 0.3, 0.1)))
        gray[:top], gray[size - bottom :] = shade, shade
        gray[:, :left], gray[:, size - right :] = shade, shade
    texts = ["L" if rng.random() < 0.85 else "R"]
    if beam.view == "AP":
        texts += [t for t in ("AP", "PORTABLE") if rng.random() < 0.6]
        texts += ["SUPINE"] * int(beam.supine and rng.random() < 0.5)
    for text in texts:
        scale = float(rng.uniform(0.35, 0.6) if len(text) == 1 else rng.uniform(0.2, 0.32))
        scale *= size / 256
        if text in "LR":
            column = rng.uniform(0.86, 0.95) if text == "L" else rng.uniform(0.02, 0.1)
        else:
            column = rng.choice((rng.uniform(0.01, 0.05), rng.uniform(0.75, 0.82)))
        place = (int(column * size), int(rng.uniform(0.06, 0.3) * size))
        bright, thick = float(rng.uniform(0.8, 1)), max(1, round(size / 300))
        letters = np.zeros(gray.shape, np.uint8)
        cv2.putText(letters, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thick, cv2.LINE_AA)
        gray += (bright - gray) * (letters * np.float32(1 / 255))
    return gray
