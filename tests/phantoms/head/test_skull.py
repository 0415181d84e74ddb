"""tests/phantoms/head/test_skull.py: the cavity, the bone and the skin lie in one another."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.head.patient import Patient, draw_patient
from wetread.phantoms.head.scan import draw_head_scan, slice_grid
from wetread.phantoms.head.skull import (
    Skull,
    build_skull,
    paint_skull,
    suture_distance,
    vault_distance,
)
from wetread.phantoms.shapes.implicit import SliceGrid


@pytest.fixture(scope="module")
def patient() -> Patient:
    return draw_patient(np.random.default_rng(3))


@pytest.fixture(scope="module")
def slices(patient: Patient) -> list[tuple[SliceGrid, Skull]]:
    scan = draw_head_scan(np.random.default_rng(1), 128, patient.scale_xyz[2])
    grids = [slice_grid(patient, scan, index)[0] for index in range(4, scan.slices, 4)]
    return [(grid, build_skull(patient, grid)) for grid in grids]


def test_the_vault_is_as_wide_and_as_long_as_a_skull(patient: Patient):
    line = np.linspace(1, 120, 2400, dtype=np.float32)
    zero = np.zeros_like(line)
    for x, y, z, reach in ((line, zero, zero, 70), (zero, line, zero, 85), (zero, zero, line, 74)):
        found = np.interp(0.0, vault_distance(patient, x, y, z), line)
        assert found == pytest.approx(reach, rel=0.02)


def test_cavity_bone_and_skin_lie_one_in_another(slices: list[tuple[SliceGrid, Skull]]):
    for _, skull in slices:
        assert not ((skull.inside < 0) & (skull.bone < 0)).any()
        assert (skull.head[skull.outer < 0] < 0).all()
        assert (skull.head[skull.inside < -3] < 0).all()
        assert skull.thickness.min() > 0


def test_bone_is_bright_and_skin_is_not(patient: Patient, slices: list[tuple[SliceGrid, Skull]]):
    grid, skull = slices[len(slices) // 2]
    hu = np.full((128, 128, 2), -1000.0, np.float32)
    paint_skull(patient, grid, skull, hu)
    bone = np.kron(skull.bone[..., 0] < -1.5, np.ones((2, 2))) > 0
    assert np.median(hu[bone, 0]) > 300
    outside = np.kron(skull.head[..., 0] > 4, np.ones((2, 2))) > 0
    assert (hu[outside] == -1000).all()


def test_the_coronal_suture_lies_before_the_lambdoid_and_the_sagittal_in_the_middle():
    back = np.linspace(-90, 90, 181, dtype=np.float32)
    coronal, lambdoid, sagittal = suture_distance(0 * back, back, 0 * back + 40)
    crossings = [back[np.abs(distance).argmin()] for distance in (coronal, lambdoid)]
    assert -40 < crossings[0] < 0 < crossings[1] < 90
    assert np.abs(sagittal).max() < 1.3
