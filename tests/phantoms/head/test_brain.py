"""tests/phantoms/head/test_brain.py: the brain fills its cavity; tissue and fluid have their HU."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.head.brain import (
    SliceAnatomy,
    build_brain,
    paint_brain,
    paint_folds,
    tentorium_height,
)
from wetread.phantoms.head.patient import Patient, draw_patient
from wetread.phantoms.head.scan import draw_head_scan, slice_grid
from wetread.phantoms.head.skull import build_skull

SIZE = 96


def anatomy_of(patient: Patient, share: float) -> SliceAnatomy:
    scan = draw_head_scan(np.random.default_rng(1), SIZE, patient.scale_xyz[2])
    grid, _ = slice_grid(patient, scan, int(share * (scan.slices - 1)))
    skull = build_skull(patient, grid)
    return SliceAnatomy(grid, skull, build_brain(patient, grid, skull, grid))


@pytest.fixture(scope="module")
def patient() -> Patient:
    return draw_patient(np.random.default_rng(3))


@pytest.fixture(scope="module")
def middle(patient: Patient) -> SliceAnatomy:
    return anatomy_of(patient, 0.5)


def test_the_brain_lies_in_the_cavity_and_tissue_is_no_fluid(middle: SliceAnatomy):
    brain = middle.brain
    assert (middle.skull.inside[brain.surface < 0] < 0).all()
    assert (brain.surface[brain.tissue < 0] < 0).all()
    assert not ((brain.tissue < 0) & (brain.ventricles < 0)).any()
    assert (brain.ventricles <= brain.lateral).all()
    assert brain.sulcus.min() >= 0


def test_gray_matter_is_brighter_than_white_and_fluid_is_dark(
    patient: Patient, middle: SliceAnatomy
):
    hu = np.full((SIZE, SIZE, 2), -1000.0, np.float32)
    paint_brain(patient, middle, hu)
    ventricle = np.kron(middle.brain.ventricles[..., 0] < -1.5, np.ones((2, 2))) > 0
    deep = np.kron(middle.brain.depth[..., 0] > 25, np.ones((2, 2))) > 0
    tissue = patient.tissue
    assert np.median(hu[ventricle, 0]) == pytest.approx(tissue.fluid + 3, abs=6)
    assert tissue.white - 4 < np.median(hu[deep & ~ventricle, 0]) < tissue.gray + 1
    within = hu[hu > -500]
    assert tissue.fluid < np.median(within) < tissue.gray + 1


def test_folds_brighten_and_never_darken_tissue(patient: Patient, middle: SliceAnatomy):
    hu = np.full((SIZE, SIZE, 2), 30.0, np.float32)
    paint_folds(patient, middle, hu)
    assert hu.min() >= 30
    assert hu.max() > 40
    falx = np.kron(middle.brain.falx[..., 0] < 0.5, np.ones((2, 2))) > 0
    assert hu[falx, 0].mean() > hu[..., 0].mean() + 0.5


def test_older_brains_have_larger_ventricles_on_the_same_slice():
    drawn = [draw_patient(np.random.default_rng([7, number])) for number in range(40)]
    young, old = (pick(drawn, key=lambda person: person.ventricle) for pick in (min, max))
    areas = [(anatomy_of(person, 0.55).brain.ventricles < 0).sum() for person in (young, old)]
    assert areas[1] > 1.5 * areas[0]


def test_the_tentorium_falls_from_the_midline_to_both_sides():
    x = np.linspace(-60, 60, 121)
    height = tentorium_height(x, np.full_like(x, 40.0))
    assert np.argmax(height) == 60
    assert np.allclose(height, height[::-1])
    assert (np.diff(height[60:]) < 0).all()
