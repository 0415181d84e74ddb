"""tests/phantoms/scanner/test_stored_values.py: stored integers are the values rounded."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.head.study import make_head_study
from wetread.phantoms.scanner.stored_values import PADDING, outside_field_of_view, to_stored


def test_pixels_on_disk_are_the_study_rounded(tmp_path):
    study = make_head_study(np.random.default_rng(0), scenario=(), size=64)
    stored = (
        to_stored(study.hu[5], signed=study.scan.signed, padded=study.scan.padded).astype(float)
        - 1024
    )
    inside = stored > -1100
    half = 0.5 + np.spacing(np.float32(1100 + 1024))  # a tie is rounded in float32
    assert np.abs(stored - study.hu[5])[inside & (study.hu[5] < 3000)].max() <= half


@pytest.mark.parametrize(("signed", "padded"), [(False, False), (True, False), (True, True)])
def test_counts_are_hu_over_the_lowest_within_twelve_bits(signed: bool, padded: bool):
    hu = np.linspace(-1500, 5000, 400, dtype=np.float32).reshape(20, 20)
    stored = to_stored(hu, signed=signed, padded=padded)
    assert stored.dtype == (np.int16 if signed else np.uint16)
    inside = ~outside_field_of_view(20)
    expected = np.clip(np.rint(hu + 1024), 0, 4095)
    assert np.array_equal(stored[inside], expected[inside])
    assert (stored[~inside] == PADDING).all() == padded


def test_the_field_of_view_is_the_circle_in_the_square():
    outside = outside_field_of_view(200)
    assert (~outside).sum() == pytest.approx(np.pi * 100**2, rel=0.002)
    assert np.array_equal(outside, outside[::-1].T)
