"""tests/phantoms/scanner/test_noise.py: noise has the deviation and the grain asked for."""

import numpy as np
import pytest

from wetread.phantoms.scanner.noise import draw_noise, draw_streaks


@pytest.mark.parametrize("grain", [0.6, 0.9, 1.5])
def test_noise_has_about_its_standard_deviation_and_no_mean(grain: float):
    noise = draw_noise(np.random.default_rng(0), 256, 12.0, grain)
    assert noise.shape == (256, 256)
    assert noise.dtype == np.float32
    assert noise.std() == pytest.approx(12, rel=0.15)
    assert abs(noise.mean()) < 0.5


def test_a_coarser_grain_is_more_alike_from_pixel_to_pixel():
    alike = []
    for grain in (0.5, 1.0, 2.0):
        noise = draw_noise(np.random.default_rng(1), 128, 10.0, grain)
        alike.append(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1])
    assert alike == sorted(alike)
    assert alike[0] < 0.4 < alike[2]


def test_streaks_run_along_the_rows_and_have_the_deviation_of_each_row():
    wanted = np.where(np.arange(128) < 64, 2.0, 8.0)
    streaks = draw_streaks(np.random.default_rng(0), 128, wanted, 14.0)
    assert streaks[:64].std() == pytest.approx(2, rel=0.15)
    assert streaks[64:].std() == pytest.approx(8, rel=0.15)
    along = np.corrcoef(streaks[:, :-4].ravel(), streaks[:, 4:].ravel())[0, 1]
    down = np.corrcoef(streaks[:-4].ravel(), streaks[4:].ravel())[0, 1]
    assert along > 0.9
    assert abs(down) < 0.2
