"""phantoms/radiograph/study.py: one chest radiograph of known truth, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from wetread.archive.types import BoolArray, Float32Array, FloatArray
from wetread.phantoms.chest.bones import (
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
from wetread.phantoms.radiograph.finish import Fields, shut, write_letters
from wetread.phantoms.radiograph.gas import Gas, draw_gas, gas_depth
from wetread.phantoms.radiograph.habitus import vary_chest
from wetread.phantoms.radiograph.limbs import Limbs, add_limbs, draw_limbs, limb_bone
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
from wetread.phantoms.shapes.chords import intersect, thickness
from wetread.phantoms.shapes.clouds import join_clouds

POSITIVE_SHARE = 0.30
MIN_MASK_SHARE = 0.0008  # of the film: the smallest mask
VISIBLE_MM = 20.0  # of pleural space in a line of sight: from there on it is lung field
UNEVEN = 0.28  # standard deviation of the log of a lung's density over the other's


@dataclass(frozen=True, eq=False)
class RadiographStudy:
    """One film.

    gray: (H, W) float32 in 0..1, bright where little came through.
    mask: (H, W) bool, air in the pleural space as a reader would outline it.
    lungs: (H, W) bool, both pleural spaces, as far as the film shows them.
    """

    gray: Float32Array
    mask: BoolArray
    lungs: BoolArray
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
    ap = beam.view == "AP"
    detector = draw_detector(rng, beam.view)
    person = vary_chest(rng, person, ap)
    limbs, gas = draw_limbs(rng, person, ap), draw_gas(rng, person, ap)
    mimics = draw_radiograph_mimics(rng, person, ap, difficulty)
    if kind is None:
        kind = draw_kind(rng, beam.supine) if rng.random() < POSITIVE_SHARE else ""
    pneumothorax = draw_pneumothorax(rng, kind, difficulty) if kind else None
    surroundings = Surroundings(limbs, gas, mimics)
    depth, fields, pneumothorax = _attenuate(rng, person, beam, surroundings, pneumothorax)
    gray = develop(detector, beam, expose(rng, detector, beam, depth), fields.body)
    fields = shut(rng, gray, fields)
    write_letters(rng, gray, beam)
    return RadiographStudy(
        gray, fields.mask, fields.lungs, person, beam, detector, pneumothorax, mimics
    )


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Limbs, gas and mimics: all that a film shows besides lungs and trunk."""

    limbs: Limbs
    gas: Gas
    mimics: RadiographMimics


def _attenuate(
    rng: np.random.Generator,
    chest: Chest,
    beam: Beam,
    around: Surroundings,
    pneumothorax: Pneumothorax | None,
) -> tuple[FloatArray, Fields, Pneumothorax | None]:
    """Compute attenuation integrals (H, W), what lies where, and the pneumothorax as shown."""
    if pneumothorax is not None:
        chest = push_heart(chest, pneumothorax)
    x, z = sight(beam, 0.0)
    fine = 1.5 / beam.pixel_mm
    mimics = around.mimics
    soft = _tissue(chest, beam, around.limbs, x, z)
    body = thickness(body_chord(chest, x, z)) > 25
    water, ragged = _texture(rng, beam)
    mask, lungs, vessels = np.zeros(x.shape, np.bool_), np.zeros(x.shape, np.bool_), []
    for part in chest.pleurae:
        half = _half(x, part.side)
        tree = draw_vessel_tree(rng)
        own = pneumothorax if pneumothorax is not None and pneumothorax.side == part.side else None
        lines = Sightlines(x[:, half], z[:, half], beam.pixel_mm)
        side = _lung_field(chest, part, own, mimics, lines)
        pneumothorax = side.pneumothorax or pneumothorax
        mask[:, half] |= side.mask
        lungs[:, half] |= (side.cavity > VISIBLE_MM) | side.mask
        opaque = opacity_depth(mimics.opacities, lines, side.lung, ragged[:, half])
        uneven = float(np.exp(rng.normal(0, UNEVEN)))  # no two lungs are aired alike
        lung = side.lung * water[:, half] * (side.density * uneven)
        soft[:, half] += lung + side.shell + opaque - side.cavity
        vessels.append(vessel_cloud(side.shape, tree, fine))
    soft -= gas_depth(around.gas, x, z)
    soft = np.maximum(soft, 0) + 0.9 * project(beam, join_clouds(vessels))
    soft += plate_depth(mimics.plates, x, z) + fold_depth(mimics.folds, x, z)
    tubes = line_cloud(mimics.lines, fine)
    if tubes is not None:
        soft += project(beam, tubes)
    bones = _skeleton(rng, chest, beam, around.limbs)
    depth = SOFT * soft + (BONE - SOFT) * bones
    return depth, Fields(body, mask, lungs), pneumothorax


def _skeleton(rng: np.random.Generator, chest: Chest, beam: Beam, limbs: Limbs) -> FloatArray:
    """Compute the bone in lines of sight, (H, W) mm."""
    arms = (1.0 if beam.view == "PA" else 0.0) + rng.normal(0, 0.25)
    arms = float(np.clip(arms, -0.2, 1.2))
    fine = 1.5 / beam.pixel_mm
    bone = join_clouds([rib_cloud(chest, fine), shoulder_cloud(chest, arms, fine)])
    bones = project(beam, bone) * chest.bone
    bones += limb_bone(limbs, *sight(beam, 0.0)) * chest.bone
    return bones + spine_thickness(chest, *sight(beam, 66.0))


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
        density = min(density * squeezed**0.45, 0.6)
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


def _tissue(chest: Chest, beam: Beam, limbs: Limbs, x: FloatArray, z: FloatArray) -> FloatArray:
    """Compute the body, its lungs not yet taken out, (H, W) mm: trunk, limbs, breasts, airways."""
    soft = add_limbs(body_chord(chest, x, z), limbs, x, z)
    if chest.breast_mm:
        fx, fz = sight(beam, -chest.pleurae[0].depth)
        for side in (-1, 1):
            soft = soft + thickness(breast_chord(chest, side, fx, fz))
    return np.maximum(soft - thickness(trachea_chord(x, z)), 0)


def _aeration(rng: np.random.Generator, size: int) -> FloatArray:
    """Draw how the lung's density changes slowly over a film, (size, size) about 1: from apex to
    base, towards the chest wall, and from one side to the other. Dark bases are no air."""
    along = np.linspace(-1, 1, size, dtype=np.float32)
    down, outward, across = rng.normal(0, (0.35, 0.3, 0.15))
    log = down * along[:, None] + outward * (np.abs(along) - 0.4) + across * along
    field: FloatArray = np.exp(np.clip(log, -0.9, 0.7)).astype(np.float32)
    return field


def _texture(rng: np.random.Generator, beam: Beam) -> tuple[FloatArray, FloatArray]:
    """Draw a variation of the lung's density, mean 1, and a field of mean 0, SD 1; (H, W)."""
    size = beam.size
    total: FloatArray = _aeration(rng, size)
    ragged: FloatArray = np.zeros((size, size), np.float32)
    uneven = float(np.exp(rng.normal(0.1, 0.4)))
    for grain_mm, strength in ((110.0, 0.1), (45.0, 0.08), (14.0, 0.06), (6.0, 0.05), (3.0, 0.05)):
        count = min(max(int(size * beam.pixel_mm / grain_mm), 2), size)
        small = rng.standard_normal((count, count), dtype=np.float32)
        layer = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
        total += (uneven if grain_mm > 10 else 1.0) * strength * layer
        ragged += (grain_mm < 100) * min(grain_mm, 16.0) / 16.0 * layer
    return np.maximum(total, 0.3), ragged
