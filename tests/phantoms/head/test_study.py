"""tests/phantoms/head/test_study.py: the head is a head, and each bleed lies where it should."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from wetread.phantoms.head.blood import (
    SUBTYPES,
    Epidural,
    Intraventricular,
    Subdural,
    displace_by_mass,
)
from wetread.phantoms.head.injuries import SCENARIOS, draw_scenario
from wetread.phantoms.head.patient import draw_patient
from wetread.phantoms.head.scan import SUBSLICES_MM, THICKNESS_MM, slice_grid
from wetread.phantoms.head.skull import build_skull, suture_distance
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


@pytest.fixture(scope="module")
def healthy() -> HeadStudy:
    return study_of(seed=3)


def test_the_same_generator_gives_the_same_study_to_the_bit():
    first, second = study_of("subdural", seed=5), study_of("subdural", seed=5)
    assert np.array_equal(first.hu, second.hu)
    assert np.array_equal(first.masks, second.masks)


def test_a_study_without_blood_has_no_label(healthy):
    assert healthy.labels.sum() == 0
    assert not healthy.masks.any()


def test_air_brain_and_bone_have_their_hounsfield_units(healthy):
    middle = healthy.hu[len(healthy.hu) // 2]
    inside, bone = [], []
    for index in range(len(healthy.hu) // 2 - 2, len(healthy.hu) // 2 + 3):
        grid, _ = slice_grid(healthy.patient, healthy.scan, index)
        skull = build_skull(healthy.patient, grid)
        large = np.kron(skull.inside.max(axis=2), np.ones((2, 2)))
        inside.append(healthy.hu[index][large < -12])
        wall = np.kron(skull.bone.max(axis=2), np.ones((2, 2)))
        bone.append(healthy.hu[index][wall < -1])
    assert 20 < np.median(np.concatenate(inside)) < 45  # white 20-35, gray 30-45
    assert 500 < np.median(np.concatenate(bone)) < 1900  # cranial 600, cortical 700-1900
    assert np.percentile(middle, 5) < -950


def test_the_cavity_is_soft_within_bone_and_holds_what_a_head_holds(healthy):
    ml = healthy.cavity.sum() * healthy.scan.pixel_mm**2 * THICKNESS_MM / 1000
    assert 1000 < ml < 2100
    deep = ndimage.binary_erosion(healthy.cavity, np.ones((1, 5, 5), bool))
    assert np.mean(healthy.hu[deep] > 200) < 0.01  # calcium
    rim = ndimage.binary_dilation(healthy.cavity, np.ones((1, 7, 7), bool)) & ~healthy.cavity
    assert np.mean(healthy.hu[rim][healthy.hu[rim] > -200] > 200) > 0.7


def test_all_blood_lies_in_the_cavity():
    study = make_head_study(np.random.default_rng(11), scenario=("epidural", "subdural"), size=128)
    assert study.masks.any()
    assert (study.masks.any(axis=0) & ~study.cavity).sum() <= 0.01 * study.masks.any(axis=0).sum()


def test_noise_at_the_middle_of_the_brain_is_a_few_hounsfield_units():
    deviations = []
    for seed in range(4):
        study = study_of(seed=seed)
        middle = study.hu[len(study.hu) // 2 + 2]
        crop = middle[59:69, 59:69]
        deviations.append(np.std(crop - np.median(crop)))
    assert 2.5 < np.median(deviations) < 9


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


@pytest.mark.parametrize("scenario", [names for names, _ in SCENARIOS])
def test_each_scenario_bleeds_and_the_labels_follow_the_masks(scenario):
    study = make_head_study(np.random.default_rng(11), scenario=scenario, size=128)
    areas = study.masks.sum(axis=(2, 3)).T * study.scan.pixel_mm**2
    assert np.allclose(areas, study.areas_mm2)
    assert np.array_equal(study.labels[:, :5], (areas >= VISIBLE_MM2).astype(int))
    assert np.array_equal(study.labels[:, 5], study.labels[:, :5].max(axis=1))
    assert study.masks.any()


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


def test_settled_blood_in_the_ventricles_has_a_level_that_is_horizontal_in_the_scanner():
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


def test_positive_share_and_subtypes_are_near_the_real_ones():
    rng = np.random.default_rng(0)
    drawn = [draw_scenario(rng) for _ in range(6000)]
    assert np.mean([bool(d) for d in drawn]) == pytest.approx(0.408, abs=0.03)
    share = {name: np.mean([name in d for d in drawn]) for name in ("epidural", "subdural")}
    assert 0.03 < share["epidural"] < 0.05
    assert share["subdural"] > 0.12


def test_slices_are_means_of_planes_and_number_20_to_36():
    assert len(SUBSLICES_MM) >= 2
    for seed in range(6):
        study = make_head_study(np.random.default_rng(seed), scenario=(), size=64)
        assert 20 <= len(study.hu) <= 36


def test_greater_difficulty_makes_smaller_fainter_blood():
    patient = draw_patient(np.random.default_rng(4))
    contrast, area = [], []
    for difficulty in (0.5, 1.0, 2.0):
        rng = np.random.default_rng(8)
        study = make_head_study(
            rng, patient=patient, scenario=("intraparenchymal",), difficulty=difficulty, size=128
        )
        contrast.append(study.bleeds[0].hu)
        area.append(study.areas_mm2.sum())
    assert contrast == sorted(contrast, reverse=True)
    assert area == sorted(area, reverse=True)


def test_an_unknown_scenario_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match="choose from"):
        study_of("migraine")
