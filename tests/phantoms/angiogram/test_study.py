"""tests/phantoms/angiogram/test_study.py: an angiogram shows what its labels say, and nothing
else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wetread.phantoms.angiogram.arteries import draw_arteries
from wetread.phantoms.angiogram.exam import ACUTE, BOTH, CHRONIC, Exam, draw_exam
from wetread.phantoms.angiogram.scan import draw_angiogram_scan, empty_slab
from wetread.phantoms.angiogram.study import (
    VISIBLE_MM2,
    AngiogramStudy,
    clot_areas,
    draw_visible_clots,
    make_angiogram,
)
from wetread.phantoms.chest.chest import draw_chest

EMPTY = Exam(
    positive=False,
    indeterminate=False,
    left=False,
    right=False,
    central=False,
    age=ACUTE,
    strained=False,
    motion=False,
    contrast=False,
    flow=False,
    other=False,
)


EXAMS = {
    "negative": EMPTY,
    "left": replace(EMPTY, positive=True, left=True),
    "right old": replace(EMPTY, positive=True, right=True, age=CHRONIC),
    "central": replace(
        EMPTY, positive=True, left=True, right=True, central=True, age=BOTH, strained=True
    ),
    "trunk alone": replace(EMPTY, positive=True, central=True),
    "mixed blood": replace(EMPTY, flow=True, other=True),
    "moved": replace(EMPTY, indeterminate=True, motion=True),
    "pale": replace(EMPTY, indeterminate=True, contrast=True),
}


def make(number: int, exam: Exam, size: int = 64) -> AngiogramStudy:
    rng = np.random.default_rng(number)
    chest = draw_chest(rng, bool(number % 2), 60)
    scan = draw_angiogram_scan(rng, chest, size, 1.0, slices=40)
    return make_angiogram(rng, chest=chest, exam=exam, scan=scan)


@pytest.fixture(scope="module")
def studies() -> dict[str, AngiogramStudy]:
    return {name: make(number, exam) for number, (name, exam) in enumerate(EXAMS.items())}


@pytest.fixture(scope="module")
def fine() -> list[AngiogramStudy]:
    """One heart without strain and one with it, at a size where widths can be measured."""
    return [
        make(3, replace(EMPTY, positive=True, left=True), 192),
        make(4, replace(EXAMS["central"], age=ACUTE), 192),
    ]


def test_labels_are_those_of_the_exam_drawn(studies):
    for name, exam in EXAMS.items():
        labels = studies[name].labels()
        assert labels["negative_exam_for_pe"] == (not exam.positive and not exam.indeterminate)
        assert labels["indeterminate"] == exam.indeterminate
        assert labels["leftsided_pe"] == exam.left
        assert labels["rightsided_pe"] == exam.right
        assert labels["central_pe"] == exam.central
        assert labels["chronic_pe"] == (exam.positive and exam.age == CHRONIC)
        assert labels["acute_and_chronic_pe"] == (exam.positive and exam.age == BOTH)
        assert labels["rv_lv_ratio_gte_1"] == (exam.positive and exam.strained)
        assert labels["rv_lv_ratio_lt_1"] == (exam.positive and not exam.strained)
        assert (labels["qa_motion"], labels["qa_contrast"]) == (exam.motion, exam.contrast)
        assert labels["flow_artifact"] == exam.flow
        assert labels["true_filling_defect_not_pe"] == exam.other


def test_every_positive_exam_shows_all_that_it_is_drawn_to_show():
    """Thirty exams, most of them small clots on one side, in pictures as coarse as the demo's."""
    for number in range(30):
        rng = np.random.default_rng(number)
        chest = draw_chest(rng, bool(number % 2), 60)
        exam = draw_exam(rng, 1.0)
        scan = draw_angiogram_scan(rng, chest, 192, 1.0, slices=40)
        tree = draw_arteries(rng, chest, 27.0)
        clots = draw_visible_clots(rng, tree, exam, scan, chest)
        areas = clot_areas(empty_slab(scan, chest, 0, 40), tree, clots, scan)
        shown = (areas >= VISIBLE_MM2).any(axis=1).tolist()
        old = [exam.age != CHRONIC, exam.age != ACUTE]
        assert shown == [True, exam.left, exam.right, exam.central, *old]


def test_the_six_rules_of_the_labels_hold(studies):
    for study in studies.values():
        labels = study.labels()
        wide, narrow = labels["rv_lv_ratio_gte_1"], labels["rv_lv_ratio_lt_1"]
        where = [labels[name] for name in ("central_pe", "leftsided_pe", "rightsided_pe")]
        old = labels["chronic_pe"] + labels["acute_and_chronic_pe"]
        neither = labels["negative_exam_for_pe"] + labels["indeterminate"]
        if study.visible.any():
            assert (wide + narrow, neither) == (1, 0)
            assert max(where) == 1
            assert old <= 1
        else:
            assert (wide + narrow + old + sum(where), neither) == (0, 1)


def test_areas_of_clot_are_those_of_the_masks(studies, fine):
    """The masks are the voxels that clot fills by half; large clots differ little from that."""
    counted = fine[1].masks.clots.sum(axis=(1, 2)) * fine[1].scan.pixel_mm ** 2
    large = fine[1].areas.clot > 150
    assert large.sum() >= 2
    assert np.median(counted[large] / fine[1].areas.clot[large]) == pytest.approx(1, abs=0.2)
    for study in studies.values():
        areas = study.areas
        assert np.allclose(areas.clot, areas.acute + areas.chronic, atol=1e-3)
        assert (areas.left + areas.right + areas.central >= areas.clot - 1e-3).all()
        assert not study.masks.clots[areas.clot < VISIBLE_MM2 / 3].sum(axis=(1, 2)).any()


def test_clots_lie_in_the_arteries_and_on_their_side(studies, fine):
    for study in (*studies.values(), *fine):
        clots = study.masks.clots
        assert study.exam.positive or not clots.any()
        assert study.masks.arteries[clots].all()
        assert study.areas.left.any() == study.exam.left
        assert study.areas.right.any() == study.exam.right
    left = np.nonzero(fine[0].masks.clots)[2]
    assert len(left)
    assert left.min() > 96 - 10  # columns run to the patient's left; the middle is off by some


def test_clots_are_darker_than_the_blood_round_them(studies):
    for name in ("central", "trunk alone"):
        study = studies[name]
        clots = study.hu[study.masks.clots]
        blood = study.hu[study.masks.arteries & ~study.masks.clots]
        assert np.median(clots) < 200  # mixed with the blood at its rim
        assert np.median(blood) > np.median(clots) + 60


def test_arteries_are_bright_unless_the_contrast_failed(studies):
    for name, study in studies.items():
        large = study.masks.arteries & ~study.masks.clots
        large &= np.roll(large, 1, 1) & np.roll(large, -1, 1) & np.roll(large, 1, 2)
        middle = np.median(study.hu[large])
        assert (middle < 200) == (name == "pale")


def test_widths_measured_on_the_slices_agree_with_the_label(fine):
    """Extents across the septum of the masks, by slice: the widest of each ventricle."""
    for study in fine:
        turn = study.circulation.chambers.ventricles.turn
        widest = []
        for mask in (study.masks.left_ventricle, study.masks.right_ventricle):
            most = 0.0
            for plane in mask:
                rows, columns = np.nonzero(plane)
                along = np.rint(np.cos(turn) * columns - np.sin(turn) * rows).astype(int)
                across = np.sin(turn) * columns + np.cos(turn) * rows
                for line in np.unique(along):
                    own = across[along == line]
                    most = max(most, own.max() - own.min() + 1)
            widest.append(most * study.scan.pixel_mm)
        assert widest[1] / widest[0] == pytest.approx(study.ratio, rel=0.08)
        assert study.labels()["rv_lv_ratio_gte_1"] == study.exam.strained


def test_the_generator_decides_every_voxel():
    one, two = (make(1, EXAMS["left"], 64) for _ in range(2))
    assert np.array_equal(one.hu, two.hu)
    assert np.array_equal(one.areas.clot, two.areas.clot)


def test_slabs_of_any_size_give_the_same_study(monkeypatch):
    """Painting in parts is for memory's sake alone."""
    whole = make(2, EXAMS["central"], 64)
    monkeypatch.setattr("wetread.phantoms.angiogram.scan.VOXELS_AT_ONCE", 7 * 64 * 64 * 3)
    parts = make(2, EXAMS["central"], 64)
    assert np.abs(whole.hu - parts.hu).max() < 0.5
    assert np.array_equal(whole.masks.clots, parts.masks.clots)
    assert np.allclose(whole.areas.left, parts.areas.left, atol=0.1)
