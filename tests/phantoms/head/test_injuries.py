"""tests/phantoms/head/test_injuries.py: bleeds are drawn as often as in the real studies."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.head.injuries import draw_scenario
from wetread.phantoms.head.patient import draw_patient
from wetread.phantoms.head.study import HeadStudy, make_head_study


def study_of(*scenario: str, seed: int = 0) -> HeadStudy:
    return make_head_study(np.random.default_rng(seed), scenario=scenario, size=128)


def test_positive_share_and_subtypes_are_near_the_real_ones():
    rng = np.random.default_rng(0)
    drawn = [draw_scenario(rng) for _ in range(6000)]
    assert np.mean([bool(d) for d in drawn]) == pytest.approx(0.408, abs=0.03)
    share = {name: np.mean([name in d for d in drawn]) for name in ("epidural", "subdural")}
    assert 0.03 < share["epidural"] < 0.05
    assert share["subdural"] > 0.12


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
