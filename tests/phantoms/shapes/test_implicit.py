"""tests/phantoms/shapes/test_implicit.py: implicit functions are distances; painting fills them."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.shapes.implicit import (
    COARSE,
    FAR,
    blend,
    capsule,
    cover,
    draw_waves,
    ellipsoid,
    enlarge,
    evaluate_waves,
    paint,
    sigmoid,
    slope,
    smooth_max,
    smooth_min,
)

STEP = 2.0  # mm between coarse samples: full-resolution pixels of 1 mm
ALONG = (np.arange(40, dtype=np.float32) - 19.5) * STEP
X, Y, Z = (np.ascontiguousarray(v) for v in np.broadcast_arrays(
    ALONG[None, :, None], ALONG[:, None, None], np.zeros((1, 1, 2), np.float32)
))  # fmt: skip


def test_waves_have_mean_0_and_variance_1_at_about_their_wavelength():
    rng = np.random.default_rng(0)
    waves = draw_waves(rng, 40, 12.0)
    points = rng.uniform(-400, 400, (3, 20_000)).astype(np.float32)
    field = evaluate_waves(waves, *points)
    assert field.mean() == pytest.approx(0, abs=0.05)
    assert field.std() == pytest.approx(1, abs=0.05)
    lengths = 2 * np.pi / np.linalg.norm(waves.vectors, axis=0)
    assert 12 * 0.69 < lengths.min() <= lengths.max() < 12 * 1.36


def test_waves_broadcast_as_they_are_on_whole_grids():
    waves = draw_waves(np.random.default_rng(1), 6, 20.0)
    rows = evaluate_waves(waves, X[:1, :, :1], Y[:, :1, :1], Z[:1, :1, :1])
    assert np.allclose(rows[..., 0], evaluate_waves(waves, X, Y, Z)[..., 0], atol=1e-5)


def test_a_capsule_is_the_distance_from_its_axis_less_its_radius():
    start, end = (-10.0, 4.0, 0.0, 5.0), (12.0, -6.0, 3.0, 5.0)
    found = capsule(X, Y, Z, start, end)
    line = np.array(start[:3]) + np.linspace(0, 1, 2001)[:, None] * np.subtract(end[:3], start[:3])
    for row, column in ((3, 30), (20, 20), (35, 8)):
        point = np.array([X[row, column, 0], Y[row, column, 0], 0.0])
        away = np.linalg.norm(point - line, axis=1).min() - 5
        assert found[row, column, 0] == pytest.approx(away, abs=1e-2)


def test_a_solid_beyond_the_slice_is_far_everywhere():
    assert (capsule(X, Y, Z, (0, 0, 60, 4), (5, 0, 80, 4)) == FAR).all()
    assert (ellipsoid(X, Y, Z, (0, 0, -70), (20, 20, 20)) == FAR).all()


def test_painting_an_ellipse_fills_its_area():
    hu = np.zeros((80, 80, 2), np.float32)
    paint(hu, ellipsoid(X, Y, Z, (3.0, -2.0, 0.0), (22.0, 14.0, 30.0)), 100.0, STEP / COARSE)
    assert hu.max() == pytest.approx(100)
    assert hu.sum() / 100 / 2 == pytest.approx(np.pi * 22 * 14, rel=0.02)


def test_an_empty_solid_covers_nothing_and_a_number_blends_by_the_share():
    assert cover(np.full((10, 10, 1), 3.0, np.float32), 1.0) is None
    patch = cover(np.full((10, 10, 1), 0.25, np.float32), 1.0)
    assert patch is not None
    hu = np.full((20, 20, 1), 40.0, np.float32)
    blend(hu, patch, 80.0)
    assert np.allclose(hu, 50)  # a quarter of each pixel lies within


def test_seams_are_rounded_only_near_them():
    a, b = np.array([-9.0, -1.0, 0.0, 5.0]), np.array([4.0, -1.0, 0.0, -3.0])
    assert smooth_min(a, b, 2.0)[[0, 3]].tolist() == [-9, -3]
    assert smooth_max(a, b, 2.0)[[0, 3]].tolist() == [4, 5]
    assert smooth_min(a, b, 2.0)[1] == pytest.approx(-1 - 2 * 2 * 0.25 / 2)
    assert (smooth_min(a, b, 2.0) == -smooth_max(-a, -b, 2.0)).all()


def test_the_slope_of_a_plane_is_its_gradient_and_enlarging_keeps_it():
    plane = 0.3 * X + 0.4 * Y
    assert np.allclose(slope(plane, STEP / COARSE)[2:-2, 2:-2], 0.5, atol=1e-4)
    fine = enlarge(plane)[2:-2, 2:-2, 0]
    assert fine.shape == (76, 76)
    assert np.allclose(np.diff(fine, axis=1), 0.3 * STEP / COARSE, atol=1e-4)


def test_the_sigmoid_is_the_logistic_function():
    value = np.linspace(-6, 6, 25)
    assert np.allclose(sigmoid(value), 1 / (1 + np.exp(-value)))
