"""tests/pages/test_mask_picture.py: the static picture: every mask outlined where it is, the
surfaces in light, and nothing else."""

import numpy as np
import pytest

from wetread.anatomy.mask import Mask
from wetread.outputs.mesh import Surface
from wetread.pages.mask_picture import (
    ABOVE,
    COLUMNS,
    FRONT,
    LEFT,
    TILE,
    mask_picture,
    render_surfaces,
)
from wetread.pages.scene_page import ScenePart, scene_parts
from wetread.study.placement import SlicePlacement
from wetread.view.window import BRAIN

pytest.importorskip("skimage", reason="scikit-image is not installed")

RED, BLUE = (1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0)


def quad(y: float, low: float, high: float) -> Surface:
    """A square in the plane of that y, seen from in front: its left half of a patient at +x."""
    points = np.array([[low, y, low], [high, y, low], [high, y, high], [low, y, high]], np.float32)
    return Surface(points, np.array([[0, 1, 2], [0, 2, 3]], np.int32))


def test_the_near_hides_the_far() -> None:
    parts = [
        ScenePart("far", 1, quad(10, -10, 10), RED),
        ScenePart("near", 1, quad(-10, -5, 5), BLUE),
    ]
    seen = render_surfaces(parts, FRONT, 100)
    assert seen[50, 50, 0] > 0
    assert seen[50, 50, 2] == 0  # blue alone in the middle
    assert seen[50, 28, 2] > 0  # red beside it
    assert seen[50, 28, 0] == 0


def test_views_have_no_mirror_in_them() -> None:
    for axes in (FRONT, LEFT, ABOVE):
        assert np.linalg.det(axes) == pytest.approx(1)
        assert axes @ axes.T == pytest.approx(np.eye(3))


def test_the_patients_left_is_on_the_right_from_in_front() -> None:
    left = ScenePart("left", 1, quad(0, 5, 10), RED)
    whole = ScenePart("whole", 1, quad(5, -10, 10), BLUE)
    seen = render_surfaces([left, whole], FRONT, 100)
    columns = np.flatnonzero((seen[:, :, 2] > 100).any(axis=0))
    assert columns.min() > 50


def test_masks_are_outlined_on_the_slices_that_have_them() -> None:
    hu = np.full((6, 64, 64), -1000.0, np.float32)
    inside = np.zeros(hu.shape, bool)
    inside[2, 20:40, 20:40] = True
    origins = np.arange(6)[:, None] * np.array([0, 0, 5.0])
    place = SlicePlacement(origins, np.array([1, 0, 0, 0, 1, 0.0]), (1, 1), np.full(6, 5.0))
    mask = Mask("brain", inside, place)
    picture = mask_picture(hu, [mask], scene_parts([mask]), BRAIN)
    assert picture.shape == (TILE + TILE * COLUMNS // 3, TILE * COLUMNS, 3)
    coloured = (picture[:TILE].max(axis=2) > 60).reshape(TILE, COLUMNS, TILE).any(axis=(0, 2))
    assert coloured.tolist() == [False, False, True, False, False, False]


def test_nothing_found_still_gives_a_picture() -> None:
    hu = np.zeros((2, 32, 48), np.float32)
    place = SlicePlacement(np.zeros((2, 3)), np.array([1, 0, 0, 0, 1, 0.0]), (1, 1), np.ones(2))
    mask = Mask("brain", np.zeros(hu.shape, bool), place)
    assert mask_picture(hu, [mask], scene_parts([mask]), BRAIN).ndim == 3
