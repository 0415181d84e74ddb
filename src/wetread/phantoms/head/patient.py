"""phantoms/head/patient.py: the anatomy of one person, drawn before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.phantoms.shapes.implicit import Waves, draw_waves
from wetread.phantoms.types import Point


@dataclass(frozen=True)
class TissueHu:
    """Hounsfield units of one person's tissues at this scanner's calibration.

    Ranges: fluid 5-15, white 20-35, gray 30-45, cranial bone 600 and cortical 700-1900
    (neurosurgicalatlas; emmastery); folds and sinuses 45-65.
    """

    fluid: float
    white: float
    gray: float
    cerebellum: float
    fold: float
    sinus: float
    muscle: float
    skin: float
    fat: float
    cortical: float
    diploe: float


@dataclass(frozen=True)
class Calcification:
    """One calcification: where and how large, mm, and HU before partial volume."""

    center: Point
    radii: Point
    hu: float


@dataclass(frozen=True, eq=False)
class Patient:
    """One person's head.

    scale_xyz:   the person's size over the canonical head.
    atrophy:     0 (tight sulci, small ventricles) to 1 (wide ones).
    bone_mm, scalp_mm, fold_mm: thicknesses; gap_mm: fluid between skull and cortex.
    ventricle:   radius of the ventricles over the canonical ones; sides: (right, left) of it.
    clouded:     whether frontal sinus, ethmoid and sphenoid, and maxillary sinuses hold fluid.
    leukoaraiosis_mm: reach of dark white matter round the ventricles.
    cistern_mm:  radius of the cisterna magna.
    """

    scale_xyz: tuple[float, float, float]
    atrophy: float
    bone_mm: float
    scalp_mm: float
    temporalis_mm: float
    fold_mm: float
    gap_mm: float
    sulcus_mm: float
    sulcus_depth_mm: float
    ventricle: float
    sides: tuple[float, float]
    vault_power: float
    egg: float
    sinus_mm: float
    frontal_sinus: float
    mastoid_air: float
    clouded: tuple[bool, bool, bool]
    leukoaraiosis_mm: float
    cistern_mm: float
    tissue: TissueHu
    calcium: tuple[Calcification, ...]
    vessel_hu: float
    warp: tuple[Waves, Waves, Waves]
    warp_mm: float
    sulci: Waves
    winding: Waves
    patchy: Waves
    cells: Waves


def _draw_calcium(rng: np.random.Generator, age: float) -> tuple[Calcification, ...]:
    """Draw calcium, 60-900 HU: pineal mostly, choroid in half, arteries of the base and falx in a
    third, pallidum rarely."""
    found: list[Calcification] = []
    if rng.random() < 0.45 + 0.3 * age:
        r = rng.uniform(1.2, 3.8)
        found.append(
            Calcification((rng.normal(0, 0.6), 25.0, 3.0), (r, 1.2 * r, r), rng.uniform(110, 600))
        )
    if rng.random() < 0.3 + 0.4 * age:
        for side in (-1, 1):
            r = rng.uniform(1.2, 4.8)
            center = (side * (23 + rng.normal(0, 1)), 40.0 + rng.normal(0, 2), 7.0)
            found.append(Calcification(center, (r, 1.5 * r, 1.5 * r), rng.uniform(80, 500)))
    if rng.random() < 0.14:
        r, hu = rng.uniform(2, 5), rng.uniform(60, 160)
        for side in (-1, 1):
            r_side = r * rng.uniform(0.8, 1.2)
            found.append(Calcification((side * 20.0, 0.0, 2.0), (r_side, 1.6 * r_side, r_side), hu))
    for _ in range(int(rng.integers(1, 4)) if rng.random() < 0.12 + 0.3 * age else 0):
        center = (0.0, rng.uniform(-66, -30), rng.uniform(15, 43))
        found.append(
            Calcification(
                center, (rng.uniform(1, 2.2), rng.uniform(3, 8), 6.0), rng.uniform(150, 700)
            )
        )
    if rng.random() < 0.6 * age:  # carotid siphons, vertebral arteries
        for place in ((11.0, -22.0, -26.0), (13.0, -16.0, -22.0), (6.0, 8.0, -46.0)):
            for side in (-1, 1):
                r = rng.uniform(0.5, 1.8)
                found.append(
                    Calcification(
                        (side * place[0], *place[1:]), (r, r, 2 * r), rng.uniform(150, 900)
                    )
                )
    if rng.random() < 0.05:
        r = rng.uniform(2, 4)
        center = (rng.uniform(-35, 35), rng.uniform(-40, 40), rng.uniform(10, 45))
        found.append(Calcification(center, (r, r, r), rng.uniform(80, 250)))
    return tuple(found)


def draw_patient(rng: np.random.Generator) -> Patient:
    """Draw a person: inner skull about 140 x 170 mm, bone 5-8 mm, sulci wider with age."""
    age = float(rng.beta(1.8, 1.3))
    atrophy = float(np.clip(0.15 + 0.75 * age + rng.normal(0, 0.15), 0.0, 1.0))
    size = rng.normal(1.0, 0.03)
    scale = tuple(float(size * rng.normal(1.0, 0.025)) for _ in range(3))
    white = rng.normal(27.8, 1.8)
    gray = white + rng.uniform(6.1, 10.0)
    tissue = TissueHu(
        fluid=float(rng.uniform(4, 10)),
        white=float(white),
        gray=float(gray),
        cerebellum=float(gray - rng.uniform(1.5, 3.5)),
        fold=float(rng.uniform(40, 68)),
        sinus=float(rng.uniform(44, 70)),
        muscle=float(rng.uniform(46, 68)),
        skin=float(rng.uniform(15, 65)),
        fat=float(rng.uniform(-110, -80)),
        cortical=float(rng.uniform(1100, 1700)),
        diploe=float(rng.uniform(350, 750)),
    )
    return Patient(
        scale_xyz=(scale[0], scale[1], scale[2]),
        atrophy=atrophy,
        bone_mm=float(rng.uniform(5, 8.5)),
        scalp_mm=float(rng.uniform(3, 8)),
        temporalis_mm=float(rng.uniform(1, 11)),
        fold_mm=float(rng.uniform(0.4, 1.9)),
        gap_mm=float(0.1 + 2.8 * atrophy**2 * rng.uniform(0.6, 1.3)),
        sulcus_mm=float(0.4 + 5.2 * atrophy * rng.uniform(0.7, 1.25)),
        sulcus_depth_mm=float(rng.uniform(13, 24)),
        ventricle=float(
            (0.7 + 1.2 * atrophy**1.3 * rng.uniform(0.8, 1.25))
            * (rng.uniform(1.2, 1.6) if rng.random() < 0.05 else 1)
        ),
        sides=(float(rng.normal(1, 0.13)), float(rng.normal(1, 0.13))),
        vault_power=float(rng.uniform(2.05, 2.5)),
        egg=float(rng.uniform(0.04, 0.13)),
        sinus_mm=float(rng.uniform(2.2, 5.2)),
        frontal_sinus=float(rng.uniform(0.3, 1.3)),
        mastoid_air=float(rng.uniform(-0.9, 0.5) if rng.random() < 0.9 else -4.0),
        clouded=(bool(rng.random() < 0.06), bool(rng.random() < 0.15), bool(rng.random() < 0.12)),
        leukoaraiosis_mm=float(9 * max(age - 0.45, 0) * rng.uniform(0, 2)),
        cistern_mm=float(rng.uniform(2, 11)),
        tissue=tissue,
        calcium=_draw_calcium(rng, age),
        vessel_hu=float(rng.uniform(38, 55)),
        warp=(draw_waves(rng, 3, 110), draw_waves(rng, 3, 110), draw_waves(rng, 3, 110)),
        warp_mm=float(rng.uniform(0.8, 2.2)),
        sulci=draw_waves(rng, 14, 22),
        winding=draw_waves(rng, 5, 17),
        patchy=draw_waves(rng, 6, 34),
        cells=draw_waves(rng, 8, 11),
    )
