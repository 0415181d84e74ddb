"""tests/phantoms/graft/test_film.py: air beside a lung, where lung was, and nowhere else."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from wetread.phantoms.graft.film import (
    LEAST_AREA,
    draw_film_pneumothorax,
    paint_film_pneumothorax,
)
from wetread.phantoms.radiograph.study import RadiographStudy, make_radiograph
from wetread.study.display import WHITE
from wetread.tasks import find_task
from wetread.training.slices.grafts import Grafted

SIZE = 256


@pytest.fixture(scope="module")
def films() -> list[RadiographStudy]:
    """Phantoms without a pneumothorax, whose pleural spaces are known."""
    rng = np.random.default_rng(5)
    return [make_radiograph(rng, kind="", size=SIZE) for _ in range(6)]


def paint(film: np.ndarray, seed: int) -> Grafted | None:
    """Paint into gray (rows, columns) from 0 to WHITE."""
    rng = np.random.default_rng(seed)
    return paint_film_pneumothorax(film[None], {}, rng, finding="air")


def grafts(films: list[RadiographStudy]) -> Iterator[tuple[RadiographStudy, Grafted]]:
    for number, film in enumerate(films):
        for seed in range(3):
            grafted = paint(WHITE * film.gray, 10 * number + seed)
            if grafted is not None:
                yield film, grafted


def test_air_lies_in_one_pleural_space_and_the_rest_of_the_film_stays(
    films: list[RadiographStudy],
) -> None:
    inside, count = [], 0
    for film, grafted in grafts(films):
        air, values = grafted.masks[0] > 0, grafted.values[0]
        assert grafted.findings == ("air",)
        assert grafted.values.shape == (1, SIZE, SIZE)
        assert grafted.values.dtype == np.float32
        assert LEAST_AREA <= air.mean() < 0.2
        assert values.min() >= 0
        assert values.max() <= WHITE
        distance = cv2.distanceTransform((~air).astype(np.uint8), cv2.DIST_L2, 5)
        far = distance > 0.2 * SIZE
        np.testing.assert_array_equal(values[far], (WHITE * film.gray)[far])
        wide = cv2.dilate(film.lungs.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
        inside.append(wide[air].mean())
        count += 1
    assert count >= 9
    assert np.median(inside) > 0.9


def test_air_is_darker_than_the_lung_was_and_has_fewer_markings(
    films: list[RadiographStudy],
) -> None:
    darker, smoother = [], []
    for film, grafted in grafts(films):
        core = cv2.erode(grafted.masks[0].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        if core.sum() < 60:
            continue
        before, after = WHITE * film.gray, grafted.values[0]
        darker.append(after[core].mean() < before[core].mean())
        fine = [image - cv2.GaussianBlur(image, (0, 0), 2.0) for image in (before, after)]
        smoother.append(fine[1][core].std() / fine[0][core].std())
    assert len(darker) >= 5
    assert np.mean(darker) > 0.8
    assert np.median(smoother) < 1


def test_the_same_generator_paints_the_same_and_leaves_the_film_as_it_was(
    films: list[RadiographStudy],
) -> None:
    film = next(WHITE * one.gray for one in films if paint(WHITE * one.gray, 3) is not None)
    before = film.copy()
    first, again, other = paint(film, 3), paint(film, 3), paint(film, 4)
    assert first is not None
    assert again is not None
    np.testing.assert_array_equal(first.values, again.values)
    assert other is None or (first.values != other.values).any()
    np.testing.assert_array_equal(film, before)


def test_what_is_drawn_is_on_both_sides_and_of_all_sizes() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_film_pneumothorax(rng) for _ in range(300)]
    assert 0.4 < np.mean([one.side == 1 for one in drawn]) < 0.6
    assert min(one.width for one in drawn) < 0.6 < 0.95 < max(one.width for one in drawn)


def test_a_film_without_lungs_gets_none() -> None:
    assert paint(np.full((SIZE, SIZE), 0.5 * WHITE, np.float32), 0) is None


def test_the_task_hands_it_to_its_training(films: list[RadiographStudy]) -> None:
    painter = getattr(find_task("pneumothorax").spec, "paint_graft", None)
    assert painter is not None
    found = (painter(WHITE * one.gray[None], {}, np.random.default_rng(3)) for one in films)
    assert next(one for one in found if one is not None).findings == ("pneumothorax",)
