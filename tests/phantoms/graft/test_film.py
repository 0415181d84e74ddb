"""tests/phantoms/graft/test_film.py: air beside a lung, where lung was, and nowhere else."""

import cv2
import numpy as np
import pytest

from wetread.anatomy.film_lungs import find_film_lungs
from wetread.phantoms.graft.film import (
    LEAST_AREA,
    draw_film_pneumothorax,
    paint_film_pneumothorax,
)
from wetread.study.display import WHITE
from wetread.tasks import find_task

SIZE = 256


@pytest.fixture(scope="module")
def film() -> np.ndarray:
    """A bright body with two dark lungs full of thin bright markings, (1, rows, columns)."""
    rng = np.random.default_rng(0)
    gray = np.full((SIZE, SIZE), 0.75 * WHITE, np.float32)
    gray[:, :10] = gray[:, -10:] = 0
    lungs = np.zeros((SIZE, SIZE), np.uint8)
    for column in (80, 176):
        cv2.ellipse(lungs, (column, 120), (32, 72), 0, 0, 360, 1, cv2.FILLED)
    gray[lungs > 0] = 0.3 * WHITE
    clouds = rng.normal(0, 1, gray.shape).astype(np.float32)
    gray += 0.4 * WHITE * cv2.GaussianBlur(clouds, (0, 0), 5)
    marks = (rng.random((SIZE, SIZE)) < 0.12) & (lungs > 0)
    gray[marks] += 0.02 * WHITE
    return cv2.GaussianBlur(gray, (0, 0), 0.7).clip(0, WHITE)[None]


def painted(film: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    grafted = paint_film_pneumothorax(film, {}, np.random.default_rng(seed))
    assert grafted is not None
    assert grafted.findings == ("pneumothorax",)
    assert grafted.values.shape == film.shape
    assert grafted.values.dtype == np.float32
    return grafted.values[0], grafted.masks[0] > 0


@pytest.mark.parametrize("seed", range(8))
def test_air_lies_in_one_lung_at_its_rim_and_the_rest_of_the_film_stays(
    film: np.ndarray, seed: int
) -> None:
    values, air = painted(film, seed)
    lungs = find_film_lungs(film[0])
    assert lungs is not None
    side = 1 + int(air[:, SIZE // 2 :].any())
    assert not air[:, : SIZE // 2].any() or side == 1
    distance = cv2.distanceTransform((lungs != side).astype(np.uint8), cv2.DIST_L2, 5)
    assert distance[air].max() < 0.03 * SIZE
    assert LEAST_AREA <= air.mean() < 0.15
    assert values.min() >= 0
    assert values.max() <= WHITE
    far = distance > 0.06 * SIZE
    np.testing.assert_array_equal(values[far], film[0][far])


@pytest.mark.parametrize("seed", range(8))
def test_air_is_darker_than_the_lung_was_and_has_no_markings(film: np.ndarray, seed: int) -> None:
    values, air = painted(film, seed)
    core = cv2.erode(air.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if core.sum() < 60:
        pytest.skip("the air is thinner than what is compared")
    assert values[core].mean() < film[0][core].mean()
    fine = [image - cv2.GaussianBlur(image, (0, 0), 2.0) for image in (values, film[0])]
    assert fine[0][core].std() < fine[1][core].std()


def test_the_same_generator_paints_the_same_and_leaves_the_film_as_it_was(
    film: np.ndarray,
) -> None:
    before = film.copy()
    first, again, other = painted(film, 3)[0], painted(film, 3)[0], painted(film, 4)[0]
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(film, before)


def test_what_is_drawn_is_on_both_sides_and_of_all_sizes() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_film_pneumothorax(rng) for _ in range(300)]
    assert 0.4 < np.mean([one.side == 1 for one in drawn]) < 0.6
    assert min(one.width for one in drawn) < 0.6 < 0.95 < max(one.width for one in drawn)


def test_a_film_without_lungs_gets_none() -> None:
    flat = np.full((1, SIZE, SIZE), 0.5 * WHITE, np.float32)
    assert paint_film_pneumothorax(flat, {}, np.random.default_rng(0)) is None


def test_the_task_hands_it_to_its_training() -> None:
    spec = find_task("pneumothorax").spec
    assert getattr(spec, "paint_graft", None) is paint_film_pneumothorax
