"""tests/view/test_uncrop.py: maps come back to the image's grid: exactly, or where a disc lies."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wetread.labels.finding import Finding
from wetread.labels.rle import decode_union
from wetread.labels.rle_csv import read_rle_csv
from wetread.study.boxes import PixelBox
from wetread.study.crop import crop_and_resize
from wetread.view.uncrop import uncrop

FINE = 8  # samples of a view's pixel along each axis, for the share that a disc covers


def noise(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((rows, columns), dtype=np.float32)


def disc_in_view(row: float, column: float, radius: float, box: PixelBox, size: int) -> np.ndarray:
    """The share of each pixel of a (size, size) view that a disc covers; pixels of the image."""
    square = box.square()
    at = (np.arange(size * FINE) + 0.5) / FINE * (square.row1 - square.row0) / size
    inside = (square.row0 + at[:, None] - row) ** 2 + (square.column0 + at - column) ** 2
    covered = (inside <= radius**2).reshape(size, FINE, size, FINE)
    return covered.mean(axis=(1, 3), dtype=np.float32)


def centroid(weights: np.ndarray) -> np.ndarray:
    """Row and column; the first pixel covers 0 to 1."""
    rows, columns = np.indices(weights.shape)
    heavy = weights.astype(np.float64)
    middle = [((rows + 0.5) * heavy).sum(), ((columns + 0.5) * heavy).sum()]
    return np.array(middle) / heavy.sum()


boxes = st.builds(
    lambda row, rows, column, columns: PixelBox(row, row + rows, column, column + columns),
    st.integers(-30, 50), st.integers(1, 70), st.integers(-30, 60), st.integers(1, 70),
)  # fmt: skip


@given(boxes, st.booleans(), st.integers(1, 48), st.integers(1, 60))
def test_a_crop_that_was_not_resized_returns_exactly_flipped_or_not(
    box: PixelBox, flipped: bool, rows: int, columns: int
) -> None:
    image = noise(rows, columns)
    square = box.square()
    size = square.row1 - square.row0
    view = crop_and_resize(image, box, size)
    back = uncrop(view[:, ::-1] if flipped else view, box, (rows, columns), flipped=flipped)
    inside = np.zeros((rows, columns), bool)
    inside[
        max(square.row0, 0) : max(square.row1, 0), max(square.column0, 0) : max(square.column1, 0)
    ] = True
    np.testing.assert_array_equal(back, np.where(inside, image, 0))
    assert back.dtype == np.float32


@given(st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_without_a_box_the_whole_image_returns(rows: int, columns: int, flipped: bool) -> None:
    image = noise(rows, columns)
    view = crop_and_resize(image, None, max(rows, columns))
    seen = view[:, ::-1] if flipped else view
    np.testing.assert_array_equal(uncrop(seen, None, image.shape, flipped=flipped), image)


@given(boxes, st.integers(1, 40), st.integers(20, 60), st.integers(20, 60))
def test_a_flip_is_undone_exactly_at_every_size(
    box: PixelBox, size: int, rows: int, columns: int
) -> None:
    view = noise(size, size)
    straight = uncrop(view, box, (rows, columns))
    mirrored = uncrop(view[:, ::-1], box, (rows, columns), flipped=True)
    np.testing.assert_array_equal(straight, mirrored)


@given(boxes, st.integers(1, 40), st.integers(20, 60), st.integers(20, 60))
def test_a_resized_map_keeps_the_grid_its_range_and_nothing_outside(
    box: PixelBox, size: int, rows: int, columns: int
) -> None:
    back = uncrop(np.full((size, size), 0.7, np.float32), box, (rows, columns))
    square = box.square()
    assert back.shape == (rows, columns)
    row, column = np.indices(back.shape)
    seen = (row >= square.row0) & (row < square.row1)
    seen &= (column >= square.column0) & (column < square.column1)
    np.testing.assert_allclose(back[seen], 0.7, rtol=1e-5)
    assert (back[~seen] == 0).all()
    uneven = uncrop(noise(size, size).round(), box, (rows, columns))
    assert uneven.min() >= 0
    assert uneven.max() <= 1


def test_a_map_shrunk_to_the_grid_is_the_mean_of_each_area() -> None:
    view = noise(60, 60)
    back = uncrop(view, PixelBox(5, 20, 10, 25), (30, 40))
    np.testing.assert_allclose(
        back[5:20, 10:25], view.reshape(15, 4, 15, 4).mean((1, 3)), rtol=1e-5
    )


# The disc's place, radius and the box, as shares; how many image pixels a view's pixel spans.
places = st.tuples(*(st.floats(0, 1) for _ in range(5)))


@settings(max_examples=150, deadline=None)
@given(places, st.floats(0.3, 4), st.integers(40, 64), st.booleans())
def test_a_disc_thresholded_comes_back_within_half_a_pixel_of_where_it_is(
    at: tuple[float, ...], step: float, size: int, flipped: bool
) -> None:
    side = max(12, round(step * size))
    step = side / size
    rows, columns = round(side * (0.6 + 0.6 * at[0])), round(side * (0.6 + 0.6 * at[1]))
    box = PixelBox(
        rows - side + 3, rows + 3, -4, side - 4
    )  # reaches outside, above or below, and left
    # Drawn on the grid itself, a disc of 1.5 pixels is thresholded up to .53 from where it is, one
    # of 2 up to .37 (20,000 random ones each): smaller ones would measure the grid.
    radius = max(2 * step, 2.0) * (1 + at[2])
    margin = radius + step
    free_rows = min(rows, box.row1) - max(0, box.row0) - 2 * margin
    free_columns = min(columns, box.column1) - 2 * margin
    assume(free_rows > 0 and free_columns > 0)  # else it would be cut
    row = max(0, box.row0) + margin + at[3] * free_rows
    column = margin + at[4] * free_columns
    view = disc_in_view(row, column, radius, box, size)
    back = uncrop(view[:, ::-1] if flipped else view, box, (rows, columns), flipped=flipped)
    assert np.hypot(*(centroid(back >= 0.5) - (row, column))) < 0.5
    assert np.hypot(*(centroid(back) - (row, column))) < 0.5


@settings(max_examples=50, deadline=None)
@given(places, st.integers(8, 16))
def test_a_coarse_map_is_off_by_less_than_a_sixteenth_of_its_pixel(
    at: tuple[float, ...], step: int
) -> None:
    size, side = 32, 32 * step
    radius = step * (2 + at[0])
    row, column = (radius + step + share * (side - 2 * (radius + step)) for share in at[1:3])
    view = disc_in_view(row, column, radius, PixelBox(0, side, 0, side), size)
    back = uncrop(view, None, (side, side))
    assert np.hypot(*(centroid(back) - (row, column))) < step / 16


def test_discs_at_many_places_are_off_in_no_direction() -> None:
    rng = np.random.default_rng(1)
    off = []
    for _ in range(60):
        row, column = rng.uniform(60, 196, 2)
        view = disc_in_view(row, column, rng.uniform(20, 40), PixelBox(-16, 272, -40, 248), 64)
        back = uncrop(view, PixelBox(-16, 272, -40, 248), (256, 256))
        off.append(centroid(back >= 0.5) - (row, column))
    assert np.abs(np.mean(off, axis=0)).max() < 0.05


def test_a_disc_that_the_image_cuts_keeps_the_part_inside() -> None:
    box, step = PixelBox(-40, 216, -40, 216), 4
    view = disc_in_view(5.0, 100.0, 30.0, box, 64)
    back = uncrop(view, box, (200, 200)) >= 0.5
    row, column = np.indices((200 * step, 200 * step)) / step + 0.5 / step
    true = (row - 5.0) ** 2 + (column - 100.0) ** 2 <= 900
    assert np.hypot(*(centroid(back) - centroid(true) / step)) < 0.5


def test_real_masks_seen_at_a_quarter_of_their_size_come_back_in_place(real_data: Path) -> None:
    path = real_data / "pneumothorax" / "train-rle.csv"
    if not path.is_file():
        pytest.skip(f"no file {path}")
    masks = read_rle_csv(path, (Finding("pneumothorax"),)).masks
    drawn = [decode_union(runs, (1024, 1024)) for runs in masks["runs"].to_list() if len(runs)]
    assert len(drawn) == 20
    for mask in drawn:
        view = crop_and_resize(mask.astype(np.float32, order="C"), None, 256)
        back = uncrop(view, None, mask.shape) >= 0.5
        off = np.argwhere(back).mean(axis=0) - np.argwhere(mask).mean(axis=0)
        assert np.hypot(*off) < 0.5


def test_what_is_no_map_of_a_view_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(size, size\)"):
        uncrop(noise(4, 5), None, (8, 8))
    with pytest.raises(ValueError, match="at least one row"):
        uncrop(noise(4, 4), None, (0, 8))
