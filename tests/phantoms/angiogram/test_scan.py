"""tests/phantoms/angiogram/test_scan.py: slices cover the chest, as many as their size asks for."""

from __future__ import annotations

import numpy as np

from wetread.phantoms.angiogram.scan import draw_angiogram_scan
from wetread.phantoms.chest.chest import draw_chest


def test_slices_follow_the_size_and_cover_the_chest():
    rng = np.random.default_rng(0)
    chest = draw_chest(rng, False, 60)
    for size, low, high in ((128, 40, 40), (192, 40, 46), (256, 46, 82), (512, 184, 300)):
        scans = [draw_angiogram_scan(rng, chest, size, 1.0) for _ in range(30)]
        assert low <= min(s.slices for s in scans) <= max(s.slices for s in scans) <= high
        for scan in scans:
            assert 110 < (scan.slices - 1) * scan.step_mm < 300
            assert 0.79 <= scan.step_mm / scan.thick_mm <= 1
        assert np.mean([scan.step_mm == scan.thick_mm for scan in scans]) > 0.5
    assert {s.signed for s in scans} == {s.implicit for s in scans} == {True, False}
