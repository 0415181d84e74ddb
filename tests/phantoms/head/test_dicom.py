"""tests/phantoms/head/test_dicom.py: headers identify, and say nothing of what is found."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.head.dicom import draw_window_values, identify_head_slice
from wetread.phantoms.head.injuries import draw_bleeds, draw_scenario
from wetread.phantoms.head.patient import draw_patient
from wetread.phantoms.head.scan import draw_head_scan


def test_identifiers_are_one_to_one():
    names = [identify_head_slice(3, 0, study, index) for study in range(3000) for index in range(4)]
    assert len({n.image for n in names}) == len(names)
    assert len({n.study for n in names}) == len({n.series for n in names}) == 3000
    assert len({identify_head_slice(3, patient, 0, 0).patient for patient in range(3000)}) == 3000


def auc(value: np.ndarray, truth: np.ndarray) -> float:
    order = np.argsort(np.argsort(value + 1e-9 * np.random.default_rng(0).random(len(value)))) + 1
    positive = int(truth.sum())
    above = order[truth].sum() - positive * (positive + 1) / 2
    return float(above / (positive * (len(value) - positive)))


def test_nothing_in_the_header_tells_whether_a_study_bleeds():
    fields: dict[str, list[float]] = {}
    truth = []
    for number in range(1500):
        rng = np.random.default_rng([5, number])
        patient = draw_patient(np.random.default_rng([6, number]))
        scenario = draw_scenario(rng)
        scan = draw_head_scan(rng, 256, patient.scale_xyz[2])
        draw_bleeds(rng, patient, scenario, 1.0)
        display = draw_window_values(rng, scan.signed)
        names = identify_head_slice(5, number, number, 0)
        position = scan.position_mm(0)
        row = {
            "slices": scan.slices,
            "pixel": scan.pixel_mm,
            "signed": scan.signed,
            "padded": scan.padded,
            "implicit": scan.implicit,
            "tilt": scan.down_axis[2],
            "x": position[0],
            "y": position[1],
            "z": position[2],
            "drift": abs(float(scan.step_mm @ scan.down_axis)),
            "center": float(display.center[-2:]),
            "width": float(display.width[-3:]),
            "image": int(names.image[3:], 16),
            "study": int(names.study[3:], 16),
            "patient": int(names.patient[3:], 16),
        }
        for name, value in row.items():
            fields.setdefault(name, []).append(float(value))
        truth.append(bool(scenario))
    for name, values in fields.items():
        assert auc(np.array(values), np.array(truth)) == pytest.approx(0.5, abs=0.05), name
