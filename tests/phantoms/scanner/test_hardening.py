"""tests/phantoms/scanner/test_hardening.py: bone on both sides darkens what lies between."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.scanner.hardening import bone_paths, harden_beam


def two_bones(rows: int = 3) -> np.ndarray:
    """An image (64, 64) of 1 mm pixels: soft tissue between bones of 20 mm on a few rows."""
    hu = np.full((64, 64), 30.0, np.float32)
    hu[32 - rows : 32 + rows, 4:24] = 1000
    hu[32 - rows : 32 + rows, 40:60] = 1000
    return hu


def test_the_paths_are_millimeters_of_bone_to_each_side():
    left, right = bone_paths(two_bones(), 1.0)
    assert left[32, 32] == pytest.approx(20)
    assert right[32, 32] == pytest.approx(20)
    assert left[32, 63] == pytest.approx(40)
    assert not left[10].any()
    doubled, _ = bone_paths(two_bones(), 2.0)
    assert doubled[32, 32] == pytest.approx(40)


def test_metal_counts_no_more_than_the_densest_bone():
    hu = two_bones()
    hu[hu > 500] = 30000
    left, _ = bone_paths(hu, 1.0)
    assert left[32, 32] == pytest.approx(36)


def test_between_two_bones_it_is_dark_beyond_what_is_allowed_and_elsewhere_not():
    tall = two_bones(rows=24)  # the turned rays pass through both as well
    dark = harden_beam(tall, 1.0, 16.0)
    assert dark[32, 32] == pytest.approx(20 - 16, abs=0.5)
    assert dark[2, 32] == 0
    assert not harden_beam(tall, 1.0, 25.0).any()


def test_bone_on_one_side_alone_darkens_nothing():
    hu = two_bones(rows=24)
    hu[:, 32:] = 30
    assert harden_beam(hu, 1.0, 5.0)[:, 32:].max() == pytest.approx(0, abs=1e-5)
