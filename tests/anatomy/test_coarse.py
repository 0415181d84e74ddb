"""tests/anatomy/test_coarse.py: blocks are means of the fine grid, and masks go back to it."""

import numpy as np
import pytest

from wetread.anatomy.coarse import STEP_MM, coarse_grid


def test_blocks_are_of_about_two_mm_and_keep_the_extent() -> None:
    grid = coarse_grid((10, 100, 60), (0.7, 0.5, 1.0))
    assert grid.stride == 3
    assert grid.shape == (4, 25, 30)
    extent = [steps * mm for steps, mm in zip(grid.shape[1:], grid.spacing_mm[1:], strict=True)]
    assert extent == pytest.approx([50.0, 60.0])
    assert grid.spacing_mm[0] == pytest.approx(2.1)


def test_a_coarser_axis_stays_as_it_is() -> None:
    grid = coarse_grid((5, 8, 8), (5.0, STEP_MM, 3.0))
    assert grid.shape == (5, 8, 8)
    assert grid.spacing_mm == (5.0, STEP_MM, 3.0)


def test_the_mean_is_that_of_each_block_also_of_the_last_which_is_smaller() -> None:
    hu = np.random.default_rng(0).normal(size=(5, 8, 12)).astype(np.float32)
    grid = coarse_grid(hu.shape, (1.0, 1.0, 1.0))
    blocks = grid.mean(hu)
    assert blocks.shape == grid.shape == (3, 4, 6)
    for z, slices in enumerate((hu[0:2], hu[2:4], hu[4:5])):
        expected = slices.reshape(-1, 4, 2, 6, 2).mean(axis=(0, 2, 4))
        np.testing.assert_allclose(blocks[z], expected, atol=1e-5)


def test_a_mask_of_all_or_nothing_is_enlarged_to_all_or_nothing() -> None:
    grid = coarse_grid((6, 20, 30), (1.0, 0.5, 0.5))
    for value in (0, 1):
        mask = np.full(grid.shape, bool(value))
        for number in range(6):
            assert (grid.enlarged(mask, number) == value).all()


def test_an_enlarged_edge_lies_between_the_blocks() -> None:
    grid = coarse_grid((2, 4, 40), (2.0, 2.0, 0.5))
    mask = np.zeros(grid.shape, bool)
    mask[:, :, :4] = True  # of 10 blocks of 4 pixels
    inside = grid.enlarged(mask, 0)
    assert inside.shape == (4, 40)
    assert inside[0].tolist() == [1] * 16 + [0] * 24
