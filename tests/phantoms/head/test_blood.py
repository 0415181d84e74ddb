"""tests/phantoms/head/test_blood.py: bleeds have the form and the density of the literature."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.head.blood import (
    SUBTYPES,
    Epidural,
    Intraventricular,
    Subdural,
    displace_by_mass,
)
from wetread.phantoms.head.scan import slice_grid
from wetread.phantoms.head.skull import suture_distance
from wetread.phantoms.head.study import VISIBLE_MM2, HeadStudy, make_head_study
from wetread.phantoms.shapes.implicit import SliceGrid


def study_of(*scenario: str, seed: int = 0) -> HeadStudy:
    return make_head_study(np.random.default_rng(seed), scenario=scenario, size=128)


def lesion(study: HeadStudy, subtype: str) -> np.ndarray:
    return study.masks[SUBTYPES.index(subtype)]


def canonical(study: HeadStudy, mask: np.ndarray) -> np.ndarray:
    """(N, 3) canonical mm of a mask's pixels, at the coarse grid's resolution."""
    found = []
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        grid, _ = slice_grid(study.patient, study.scan, int(index))
        rows, columns = np.nonzero(mask[index])
        place = (rows // 2, columns // 2)
        found.append(
            np.stack([axis.mean(axis=2)[place] for axis in (grid.x, grid.y, grid.z)], axis=1)
        )
    return np.concatenate(found)


@pytest.mark.parametrize(
    ("scenario", "subtype", "low", "high"),
    [
        ("epidural", "epidural", 50, 80),
        ("sulcal", "subarachnoid", 40, 70),
        ("aneurysm", "subarachnoid", 40, 70),
        ("intraparenchymal", "intraparenchymal", 48, 80),
        ("intraventricular", "intraventricular", 40, 76),
    ],
)
def test_acute_blood_has_the_hounsfield_units_of_the_literature(scenario, subtype, low, high):
    medians = []
    for seed in range(4):
        study = study_of(scenario, seed=seed)
        mask = lesion(study, subtype)
        if mask.sum() > 50:
            medians.append(np.median(study.hu[mask]))
    assert medians
    assert low < np.median(medians) < high


def test_an_epidural_lens_is_thickest_in_the_middle_and_stops_at_the_sutures():
    for seed in range(4):
        study = study_of("epidural", seed=seed)
        bleed = next(b for b in study.bleeds if isinstance(b, Epidural))
        points = canonical(study, lesion(study, "epidural")).astype(np.float32)
        center = np.asarray(bleed.center, np.float32)
        for axis in (0, 1):  # coronal and lambdoid
            here = suture_distance(*points.T)[axis]
            home = suture_distance(*(center[None].T))[axis][0]
            assert np.mean(here * np.sign(home) > -2.0) > 0.99


def test_a_subdural_crescent_is_long_thin_on_one_side_and_ignores_sutures():
    crossing = 0
    for seed in range(12):
        study = study_of("subdural", seed=seed)
        crescents = [b for b in study.bleeds if isinstance(b, Subdural)]
        if len(crescents) != 1 or len(study.bleeds) != 1:
            continue
        points = canonical(study, lesion(study, "subdural")).astype(np.float32)
        assert np.mean(points[:, 0] * crescents[0].side > 0) > 0.99
        extent = np.ptp(points[:, 1])
        assert extent > 3 * crescents[0].thick_mm
        coronal = suture_distance(*points.T)[0]
        crossing += int(coronal.min() < -5 and coronal.max() > 5)
    assert crossing >= 2


def test_sedimented_blood_in_the_ventricles_has_a_level_that_is_horizontal_in_the_scanner():
    checked = 0
    for seed in range(12):
        study = study_of("intraventricular", seed=seed)
        bleed = study.bleeds[0]
        assert isinstance(bleed, Intraventricular)
        mask = lesion(study, "intraventricular")
        if bleed.cast or mask.sum() < 30:
            continue
        for index in np.flatnonzero(study.areas_mm2[:, 2] >= VISIBLE_MM2):
            grid, _ = slice_grid(study.patient, study.scan, int(index))
            rows = np.nonzero(mask[index].any(axis=1))[0]
            down = np.kron(grid.down.mean(axis=2), np.ones((2, 2)))[rows.min()]
            assert np.ptp(down) < 1e-3  # a row of the image is level
            checked += 1
    assert checked >= 3


def test_subarachnoid_threads_are_thin():
    share = []
    for seed in range(3):
        study = make_head_study(np.random.default_rng(seed), scenario=("sulcal",))
        mask = lesion(study, "subarachnoid")[int(study.areas_mm2[:, 3].argmax())]
        eroded = mask.copy()
        for axis in (0, 1):  # what is wider than about 7 mm across both axes
            for shift in (-3, -2, -1, 1, 2, 3):
                eroded &= np.roll(mask, shift, axis)
        share.append(eroded.sum() / mask.sum())
    assert np.median(share) < 0.08


def test_large_blood_pushes_the_midline():
    bleed = Epidural(center=(62.0, 0.0, 10.0), radius_mm=40.0, thick_mm=30.0, hu=65.0)
    line = np.linspace(-60, 60, 121, dtype=np.float32)[None, :, None]
    flat = np.zeros_like(line)
    grid = SliceGrid(line, flat, flat + 10, flat, 1.0)
    moved = displace_by_mass(grid, (bleed,))
    midline_now_at = float(line[0, np.argmin(np.abs(moved.x)), 0])
    assert -12 < midline_now_at < -2  # to the right, away from blood on the left
