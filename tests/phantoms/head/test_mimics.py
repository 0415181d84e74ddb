"""tests/phantoms/head/test_mimics.py: mimics come in healthy heads too, and lie where they may."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.head.mimics import (
    MIMICS,
    Catheter,
    Craniotomy,
    Fracture,
    Infarct,
    Swelling,
    Tumor,
    draw_head_mimics,
    mimic_areas,
    paint_hardware,
    paint_lesions,
    paint_swelling,
    raise_scalp,
)
from wetread.phantoms.head.patient import draw_patient
from wetread.phantoms.head.scan import draw_head_scan, slice_grid
from wetread.phantoms.head.skull import Skull, build_skull
from wetread.phantoms.shapes.implicit import SliceGrid

SIZE = 96


def slice_of(size: int) -> tuple[SliceGrid, Skull]:
    patient = draw_patient(np.random.default_rng(3))
    scan = draw_head_scan(np.random.default_rng(1), size, patient.scale_xyz[2])
    grid, _ = slice_grid(patient, scan, scan.slices // 2)
    return grid, build_skull(patient, grid)


@pytest.fixture(scope="module")
def head() -> tuple[SliceGrid, Skull]:
    return slice_of(SIZE)


def level(grid: SliceGrid) -> float:
    """z of the slice's middle, canonical mm."""
    h, w, _ = grid.z.shape
    return float(grid.z[h // 2, w // 2].mean())


def fine(mask: np.ndarray) -> np.ndarray:
    return np.kron(mask, np.ones((2, 2))) > 0


def test_every_kind_is_drawn_and_only_swelling_and_fracture_are_commoner_in_the_injured():
    patient = draw_patient(np.random.default_rng(0))
    rates = []
    for injured in (False, True):
        rng = np.random.default_rng(5)
        drawn = [draw_head_mimics(rng, patient, injured, None, 1.0) for _ in range(1500)]
        kinds = [{type(mimic) for mimic in mimics} for mimics in drawn]
        rates.append({k: np.mean([k in seen for seen in kinds]) for k in set().union(*kinds)})
    healthy, hurt = rates
    assert set(healthy) == {Infarct, Craniotomy, Catheter, Swelling, Tumor, Fracture}
    assert hurt[Swelling] > healthy[Swelling] + 0.05
    assert hurt[Fracture] > healthy[Fracture] + 0.05
    for kind in (Infarct, Craniotomy, Catheter, Tumor):
        assert hurt[kind] == pytest.approx(healthy[kind], abs=0.03)


def test_swelling_and_fracture_lie_where_the_blow_fell():
    patient, struck = draw_patient(np.random.default_rng(0)), (60.0, 5.0, 20.0)
    rng = np.random.default_rng(2)
    found = [m for _ in range(60) for m in draw_head_mimics(rng, patient, True, struck, 1.0)]
    centers = {m.center for m in found if isinstance(m, Swelling | Fracture)}
    assert centers == {struck}


def test_a_swelling_raises_the_skin_and_bleeds_outside_the_bone(head: tuple[SliceGrid, Skull]):
    grid, skull = head
    swelling = Swelling((75.0, 0.0, level(grid)), 30.0, 10.0, 60.0)
    raised = raise_scalp((swelling,), grid, skull)
    assert (raised.head <= skull.head).all()
    assert (skull.head - raised.head).max() == pytest.approx(10, abs=2)
    assert raise_scalp((), grid, skull) is skull
    hu = np.zeros((SIZE, SIZE, 2), np.float32)
    paint_swelling((swelling,), grid, raised, hu)
    assert hu.max() > 55
    assert not hu[fine(skull.outer.max(axis=2) < -2)].any()


def test_an_infarct_is_dark_a_tumor_bright_and_both_within_the_cavity(
    head: tuple[SliceGrid, Skull],
):
    grid, skull = head
    rng = np.random.default_rng(0)
    patient = draw_patient(rng)
    infarct = Infarct((-30.0, 10.0, level(grid)), (14.0, 14.0, 14.0), patient.sulci, 15.0)
    tumor = Tumor((35.0, -10.0, level(grid)), 10.0, 48.0)
    hu = np.full((SIZE, SIZE, 2), 32.0, np.float32)
    paint_lesions((infarct, tumor), grid, skull, hu)
    assert hu.min() < 18
    assert hu.max() > 46
    assert (hu[fine(skull.inside.min(axis=2) > 2)] == 32).all()


def test_plates_are_dense_and_a_fracture_opens_the_bone_within_its_reach():
    grid, skull = slice_of(256)
    bone = fine(skull.bone.min(axis=2) < 0)
    hu = np.full((256, 256, 2), 1000.0, np.float32)
    paint_hardware((Craniotomy((70.0, 0.0, level(grid)), 25.0),), grid, skull, hu)
    assert hu.min() < 500
    assert hu.max() > 1500
    hu = np.full((256, 256, 2), 1000.0, np.float32)
    paint_hardware((Fracture((0.0, 85.0, level(grid)), (1.0, 0.0, 0.0), 30.0),), grid, skull, hu)
    opened = hu.min(axis=2) < 990
    assert 3 < opened.sum() < 200
    assert opened[bone].sum() >= 0.5 * opened.sum()
    assert not opened[:128].any()  # rows run to the back, where it lies


@pytest.mark.parametrize("parietal", [False, True])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_drain_runs_on_its_side_from_its_burr_hole_to_the_ventricle(side: int, parietal: bool):
    patient = draw_patient(np.random.default_rng(3))
    scan = draw_head_scan(np.random.default_rng(1), 128, patient.scale_xyz[2])
    places = []
    for index in range(scan.slices):
        grid, _ = slice_grid(patient, scan, index)
        hu = np.zeros((128, 128, 2), np.float32)
        drain = Catheter(side, 900.0, parietal, 2.0)
        paint_hardware((drain,), grid, build_skull(patient, grid), hu)
        found = hu[::2, ::2] > 300
        places += [
            (grid.x[at], grid.y[at], grid.z[at]) for at in zip(*found.nonzero(), strict=True)
        ]
    x, y, z = np.array(places).T
    assert (x * side > 0).all()
    assert z.min() < 20
    assert z.max() > 36
    assert (y[z > 35].mean() > 40) == parietal


def test_areas_are_those_of_what_is_painted(head: tuple[SliceGrid, Skull]):
    grid, skull = head
    z = level(grid)
    swelling, tumor = Swelling((75.0, 0.0, z), 30.0, 10.0, 60.0), Tumor((30.0, 10.0, z), 12.0, 45.0)
    raised = raise_scalp((swelling,), grid, skull)
    areas = dict(zip(MIMICS.values(), mimic_areas((swelling, tumor), grid, raised), strict=True))
    assert {name for name, area in areas.items() if area} == {"scalp_swelling", "meningioma"}
    # A ball's section: a little less than its great circle, for the slice has a thickness.
    assert 0.7 < areas["meningioma"] / (np.pi * 12**2) <= 1.05
    for name, paint_kind in (("scalp_swelling", paint_swelling), ("meningioma", paint_lesions)):
        hu = np.zeros((SIZE, SIZE, grid.x.shape[2]), np.float32)
        paint_kind((swelling, tumor), grid, raised, hu)
        painted = (hu.mean(axis=2) >= 0.5 * hu.max()).sum() * grid.pixel**2
        assert areas[name] == pytest.approx(painted, rel=0.05)
    twice = mimic_areas((tumor, tumor), grid, raised)
    assert twice.sum() == pytest.approx(2 * areas["meningioma"])
