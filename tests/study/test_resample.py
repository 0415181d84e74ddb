"""tests/study/test_resample.py: a resampled volume is what it says it is: spacing, place, values,
and nothing invented."""

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wetread.archive.index.index import build_index
from wetread.study.geometry import unit_axes
from wetread.study.hu import AIR_HU
from wetread.study.placement import SlicePlacement
from wetread.study.resample import resample_to
from wetread.study.series import series_slices
from wetread.study.stack import StackError, require_affine
from wetread.study.volume import Volume, volume_from_rows

WriteSeries = Callable[..., pl.DataFrame]
Stack = Callable[..., np.ndarray]
AXIAL = np.array([1.0, 0, 0, 0, 1, 0])


def volume_at(
    origins: np.ndarray,
    spacing: tuple[float, float],
    shape: tuple[int, int],
    orientation: np.ndarray = AXIAL,
    unit: str = "HU",
) -> Volume:
    """Slices of zeros at the origins."""
    count = len(origins)
    place = SlicePlacement(np.asarray(origins, float), orientation, spacing, np.full(count, 5.0))
    hu = np.zeros((count, *shape), np.float32)
    return Volume(
        hu, place, tuple(f"1.{k}" for k in range(count)), (), np.arange(float(count)), unit
    )


def places(volume: Volume) -> np.ndarray:
    """(Z, Y, X, 3) mm of every voxel, from the place of each slice."""
    return volume.place.position_of(np.stack(list(np.indices(volume.hu.shape)), axis=-1))


def between_two_slices(made: Volume, volume: Volume) -> np.ndarray:
    """(Z, Y, X) bool: the voxels of made that lie inside the picture of both slices around them."""
    place, at = volume.place, places(made)
    row, column, normal = unit_axes(place.orientation)
    found = np.zeros(made.hu.shape, bool)
    heights = place.origins_mm @ normal
    for z, height in enumerate(made.place.origins_mm @ normal):
        upper = min(int(np.searchsorted(heights, height - 1e-6)), len(heights) - 1)
        lower = upper if abs(heights[upper] - height) < 1e-6 else upper - 1
        found[z] = True
        for k in (lower, upper):
            off = at[z] - place.origins_mm[k]
            for axis, step, last in ((column, 0, 1), (row, 1, 2)):
                index = off @ axis / place.spacing_mm[step]
                found[z] &= (index > -1e-6) & (index < volume.hu.shape[last] - 1 + 1e-6)
    return found


def tilted_origins(distances: np.ndarray, lean: tuple[float, float]) -> np.ndarray:
    """Origins at distances along z, each mm of it leaning so many mm along x and y."""
    return np.array([-10.0, -20, 30]) + distances[:, None] * np.array([*lean, 1.0])


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(st.floats(0.7, 8), min_size=2, max_size=6),
    lean=st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)),
    target=st.tuples(st.floats(0.4, 6), st.floats(0.3, 2), st.floats(0.3, 2)),
    slope=st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3)),
)
def test_a_linear_function_of_position_stays_what_it_was(
    steps: list[float],
    lean: tuple[float, float],
    target: tuple[float, float, float],
    slope: tuple[float, float, float],
) -> None:
    """The closed form is the oracle, for any distances, tilt and spacing."""
    origins = tilted_origins(np.cumsum([0.0, *steps]), lean)
    volume = volume_at(origins, (0.9, 0.6), (9, 11))
    volume = replace(volume, hu=(places(volume) @ slope + 700).astype(np.float32))
    made = resample_to(volume, target)
    inside = between_two_slices(made, volume)
    wanted = places(made) @ slope + 700
    np.testing.assert_allclose(made.hu[inside], wanted[inside], atol=0.02)
    assert inside[0].any()


@settings(max_examples=25, deadline=None)
@given(target=st.tuples(st.floats(0.4, 6), st.floats(0.3, 3), st.floats(0.3, 3)))
def test_the_place_says_the_spacing_that_was_made(target: tuple[float, float, float]) -> None:
    volume = volume_at(tilted_origins(np.arange(6) * 3.0, (0, 0.2)), (0.9, 0.6), (9, 11))
    made = resample_to(volume, target)
    affine = require_affine(made)
    np.testing.assert_allclose(np.linalg.norm(affine[:3, :3], axis=0), target, atol=1e-6)
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-6)
    assert made.place.spacing_mm == pytest.approx(target[1:])
    # The grid is as long as fits: less than a step is left at the far end.
    end = (np.array(made.hu.shape) - 1) * target
    reach = np.array([15.0, 8 * 0.9 + 15 * 0.2, 10 * 0.6])
    assert (end <= reach + 1e-6).all()
    assert (end > reach - target).all()


def test_inside_it_agrees_with_simpleitk() -> None:
    sitk = pytest.importorskip("SimpleITK")
    volume = volume_at(tilted_origins(np.arange(7) * 2.5, (0, 0)), (0.9, 0.6), (20, 30))
    hu = np.random.default_rng(3).normal(0, 300, volume.hu.shape).astype(np.float32)
    made = resample_to(replace(volume, hu=hu), (1.1, 0.7, 0.5))
    image = sitk.GetImageFromArray(hu)
    image.SetSpacing((0.6, 0.9, 2.5))
    image.SetOrigin((-10.0, -20.0, 30.0))
    like = sitk.Image(*made.hu.shape[::-1], sitk.sitkFloat32)
    like.SetSpacing((0.5, 0.7, 1.1))
    like.SetOrigin(tuple(made.place.origins_mm[0]))
    theirs = sitk.GetArrayFromImage(sitk.Resample(image, like, sitk.Transform(), sitk.sitkLinear))
    np.testing.assert_allclose(made.hu, theirs, atol=0.01)


def test_nothing_overshoots() -> None:
    volume = volume_at(tilted_origins(np.arange(5) * 4.0, (0.1, 0.2)), (1.0, 1.0), (16, 16))
    hu = np.random.default_rng(1).choice([-900.0, 3000.0], volume.hu.shape).astype(np.float32)
    made = resample_to(replace(volume, hu=hu), (1.3, 0.4, 0.7)).hu
    assert set(np.unique(made[(made <= -900) | (made >= 3000)])) <= {AIR_HU, -900.0, 3000.0}


def test_outside_the_field_of_view_is_air_and_never_mixed() -> None:
    """A disk of 100 HU in air: there is no value between the two."""
    volume = volume_at(tilted_origins(np.arange(5) * 4.0, (0.1, 0.2)), (1.0, 1.0), (16, 16))
    y, x = np.indices((16, 16)) - 7.5
    hu = np.where(x**2 + y**2 < 40, np.float32(100), np.float32(AIR_HU))
    made = resample_to(replace(volume, hu=np.repeat(hu[None], 5, 0)), (1.3, 0.4, 0.7)).hu
    assert set(np.unique(made)) == {AIR_HU, 100.0}
    assert (made == 100).mean() == pytest.approx((hu == 100).mean(), rel=0.25)


def test_a_gap_is_filled_between_its_two_slices(write_series: WriteSeries, stack: Stack) -> None:
    rows = write_series(np.delete(stack(9), 4, axis=0))
    volume = volume_from_rows(rows)
    assert "gap" in [issue.name for issue in volume.issues]
    made = resample_to(volume, (5, 0.5, 0.25))
    np.testing.assert_allclose(made.hu[:, 0, 0], [0, 1, 2, 3, 3.5, 4, 5, 6, 7], atol=1e-4)
    assert made.sources[3] == volume.sources[3]
    assert made.sources[4] == ""
    assert made.slice_map[4] == 3.5
    (gap,) = (issue for issue in made.issues if issue.name == "gap")
    assert gap.resolved_by == "resampled to 5 x 0.5 x 0.25 mm (slices, rows, columns)"


def test_the_same_spacing_changes_nothing(write_series: WriteSeries, stack: Stack) -> None:
    rng = np.random.default_rng(2)
    each = [{"pixels": rng.integers(0, 3000, (6, 8))} for _ in range(4)]
    volume = volume_from_rows(write_series(stack(4), each=each))
    made = resample_to(volume, (5.0, 0.5, 0.25))
    np.testing.assert_array_equal(made.hu, volume.hu)
    np.testing.assert_allclose(made.affine, volume.affine)
    assert made.sources == volume.sources


def test_one_number_is_all_three_spacings() -> None:
    volume = volume_at(tilted_origins(np.arange(5) * 2.0, (0, 0)), (0.5, 0.5), (9, 9))
    assert resample_to(volume, 2).hu.shape == (5, 3, 3)


def test_a_bright_voxel_of_a_real_tilted_head_stays_within_half_a_voxel(
    real_data: Path, tmp_path: Path
) -> None:
    """Three distances and 18.5 degrees of tilt; a marker where its slice's header says it lies."""
    with zipfile.ZipFile(real_data / "head_ct_tilted" / "series.zip") as packed:
        packed.extractall(tmp_path / "files")
    rows = build_index([tmp_path / "files"], tmp_path / "i.parquet", workers=1).images
    volume = volume_from_rows(series_slices(rows)[0])
    steps = np.array([0.5, 0.4, 0.4])
    for z, y, x in ((0, 100, 400), (13, 256, 256), (14, 300, 120), (20, 60, 300), (27, 450, 200)):
        about = window_of(volume, y, x)
        about.hu[z, 10, 10] = 30_000
        made = resample_to(about, tuple(steps))
        brightest = np.unravel_index(made.hu.argmax(), made.hu.shape)
        found = (made.affine @ np.array([*brightest, 1]))[:3]
        true = volume.place.position_of(np.array([z, y, x]))
        off = np.abs(np.linalg.solve(made.affine[:3, :3], found - true))
        # Slice 14 lies 1.08 mm from one neighbour and 7.00 mm from the other: toward this one a
        # linear peak falls off so slowly that half of the near distance is the bound.
        allowed = np.array([0.54 / 0.5 if z == 14 else 0.5, 0.5, 0.5])
        assert (off <= allowed + 1e-6).all(), (z, y, x, off * steps)


def window_of(volume: Volume, y: int, x: int) -> Volume:
    """(Z, 21, 21) zeros around row y and column x, at their place."""
    corner = np.array([[k, y - 10, x - 10] for k in range(len(volume.hu))])
    place = replace(volume.place, origins_mm=volume.place.position_of(corner))
    return replace(volume, hu=np.zeros((len(corner), 21, 21), np.float32), place=place)


def test_a_single_slice_keeps_its_distance() -> None:
    volume = volume_at(np.zeros((1, 3)), (0.5, 0.5), (9, 9))
    made = resample_to(volume, (2, 1, 1))
    assert made.hu.shape == (1, 5, 5)


@pytest.mark.parametrize("spacing", [0, -1, (1, 1, 0), (1, np.inf, 1), (1, 2)])
def test_a_spacing_that_cannot_be_is_refused(spacing: object) -> None:
    volume = volume_at(tilted_origins(np.arange(3) * 2.0, (0, 0)), (0.5, 0.5), (9, 9))
    with pytest.raises(ValueError, match="three numbers of mm above 0"):
        resample_to(volume, spacing)  # type: ignore[arg-type]


def test_slices_without_a_place_are_refused(write_series: WriteSeries, stack: Stack) -> None:
    rows = write_series(stack(3), {"ImagePositionPatient": [0, 0, 0]})
    with pytest.raises(StackError, match="no_geometry"):
        resample_to(volume_from_rows(rows), 1)


def test_two_slices_at_one_place_are_refused(write_series: WriteSeries, stack: Stack) -> None:
    rows = write_series(np.concatenate([stack(3), stack(1)]))
    with pytest.raises(StackError, match="duplicate_position"):
        resample_to(volume_from_rows(rows), 1)
