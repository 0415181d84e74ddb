"""tests/view/test_augment.py: chance is drawn, within its strengths, from the generator given."""

from dataclasses import fields, replace

import numpy as np

from wetread.view.augment import Strengths, draw_augmentation

STRONG = Strengths(
    flip=0.5,
    rotate_degrees=15,
    scale=0.12,
    shift=0.04,
    hu_shift=2.5,
    hu_scale=0.1,
    soften=1.5,
    sharpen=0.6,
    resolution=0.5,
    noise_hu=4,
    gamma=0.5,
)


def test_the_same_generator_state_draws_the_same_numbers() -> None:
    first = draw_augmentation(STRONG, 50, np.random.default_rng(3))
    again = draw_augmentation(STRONG, 50, np.random.default_rng(3))
    for each in fields(first):
        np.testing.assert_array_equal(getattr(first, each.name), getattr(again, each.name))


def test_what_is_drawn_stays_within_the_strengths_and_fills_them() -> None:
    drawn = draw_augmentation(STRONG, 5000, np.random.default_rng(0))
    assert 0.45 < drawn.flip.mean() < 0.55
    for values, limit in [
        (np.rad2deg(drawn.angle), 15),
        (drawn.scale - 1, 0.12),
        (drawn.shift_rows, 0.04),
        (drawn.shift_columns, 0.04),
        (drawn.hu_shift, 2.5),
        (drawn.hu_scale - 1, 0.1),
        (np.log(drawn.gamma), 0.5),
    ]:
        assert 0.98 * limit < np.abs(values).max() <= limit * (1 + 1e-5)
        assert abs(values.mean()) < 0.05 * limit
    for values, limit in [
        (drawn.soften, 1.5),
        (drawn.sharpen, 0.6),
        (1 - drawn.resolution, 0.5),
        (drawn.noise_hu, 4),
    ]:
        assert values.min() >= 0
        assert 0.98 * limit < values.max() <= limit * (1 + 1e-5)
    assert not ((drawn.soften > 0) & (drawn.sharpen > 0)).any()


def test_appearance_does_not_change_how_images_are_moved() -> None:
    plain = replace(STRONG, hu_scale=0.0, soften=0.0, sharpen=0.0, resolution=0.0, noise_hu=0.0)
    plain = replace(plain, gamma=0.0)
    first = draw_augmentation(STRONG, 50, np.random.default_rng(3))
    again = draw_augmentation(plain, 50, np.random.default_rng(3))
    for name in ("flip", "angle", "scale", "shift_rows", "shift_columns", "hu_shift"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


def test_no_strength_draws_no_change() -> None:
    drawn = draw_augmentation(Strengths(), 9, np.random.default_rng(0))
    assert not drawn.flip.any()
    assert (drawn.scale == 1).all()
    assert not np.stack([drawn.angle, drawn.shift_rows, drawn.shift_columns, drawn.hu_shift]).any()
    assert not np.stack([drawn.soften, drawn.sharpen, drawn.noise_hu]).any()
    assert (drawn.resolution == 1).all()
    assert (drawn.gamma == 1).all()
    assert drawn.only_flips
