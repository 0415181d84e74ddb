"""tests/phantoms/head/test_scan.py: slices lie and sound like those of a scanner."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wetread.phantoms.head.patient import draw_patient
from wetread.phantoms.head.scan import SUBSLICES_MM, acquire, draw_head_scan, slice_grid
from wetread.phantoms.head.skull import build_skull, paint_skull
from wetread.phantoms.head.study import HeadStudy, make_head_study


def study_of(*scenario: str, seed: int = 0) -> HeadStudy:
    return make_head_study(np.random.default_rng(seed), scenario=scenario, size=128)


def test_noise_at_the_middle_of_the_brain_is_a_few_hounsfield_units():
    deviations = []
    for seed in range(4):
        study = study_of(seed=seed)
        middle = study.hu[len(study.hu) // 2 + 2]
        crop = middle[59:69, 59:69]
        deviations.append(np.std(crop - np.median(crop)))
    assert 2.5 < np.median(deviations) < 9


def test_slices_are_means_of_planes_and_number_20_to_36():
    assert len(SUBSLICES_MM) >= 2
    for seed in range(6):
        study = make_head_study(np.random.default_rng(seed), scenario=(), size=64)
        assert 20 <= len(study.hu) <= 36


def test_the_edge_of_bone_brightens_the_brain_next_to_it_as_on_real_scanners():
    near, deep = [], []
    for seed in range(4):
        study = make_head_study(np.random.default_rng(seed), scenario=(), size=256)
        index = int(study.cavity.sum(axis=(1, 2)).argmax())
        grid, _ = slice_grid(study.patient, study.scan, index)
        inside = np.kron(build_skull(study.patient, grid).inside.max(axis=2), np.ones((2, 2)))
        near.append(np.median(study.hu[index][(inside < -1) & (inside > -2.5)]))
        deep.append(np.median(study.hu[index][inside < -20]))
    assert np.median(np.subtract(near, deep)) > 3  # real heads: 38 and 29 HU


def test_bone_on_both_sides_darkens_the_brain_between_the_petrous_ridges():
    patient = draw_patient(np.random.default_rng(3))
    scan = draw_head_scan(np.random.default_rng(1), 128, patient.scale_xyz[2])
    heights = [float(slice_grid(patient, scan, i)[0].z[32, 32].mean()) for i in range(scan.slices)]
    index = int(np.abs(np.array(heights) + 33).argmin())
    grid, _ = slice_grid(patient, scan, index)
    skull = build_skull(patient, grid)
    planes = np.full((128, 128, 2), -1000.0, np.float32)
    paint_skull(patient, grid, skull, planes)
    plain = replace(scan, cupping_hu=0.0, streak_hu=0.0, noise_hu=0.0, moving=frozenset())
    pictures = [
        acquire(
            np.random.default_rng(0), replace(plain, hardening=strength), index, planes,
            grid=grid, inside=skull.inside,
        )
        for strength in (0.0, 1.0)
    ]  # fmt: skip
    change = (pictures[1] - pictures[0])[skull.inside.max(axis=2).repeat(2, 0).repeat(2, 1) < -4]
    assert change.min() < -3
    assert change.max() < 13  # half of the strongest band, for the correction of the whole slice
