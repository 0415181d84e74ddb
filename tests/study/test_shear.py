"""tests/study/test_shear.py: a tilted volume is rectified as a brute-force resampling of the true
places would."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.ndimage import map_coordinates

from wetread.archive.index.index import build_index
from wetread.study.series import series_slices
from wetread.study.shear import deshear
from wetread.study.stack import StackError, require_affine, resample
from wetread.study.volume import Volume, volume_from_rows

WriteSeries = Callable[..., pl.DataFrame]
Stack = Callable[..., np.ndarray]
SHAPE = (20, 24)


def tilted(write_series: WriteSeries, step: tuple[float, float, float], unit: str) -> Volume:
    """8 slices of noise at step, in a plane turned by 15 degrees; grey: another modality."""
    angle = np.radians(15)
    rng = np.random.default_rng(11)
    positions = np.array([-10.0, -20, 30]) + np.arange(8)[:, None] * np.array(step)
    tags: dict[str, Any] = {"ImageOrientationPatient": [1, 0, 0, 0, np.cos(angle), -np.sin(angle)]}
    tags["Modality"] = {"HU": "CT", "grey": "MR"}[unit]
    each = [{"pixels": rng.integers(900, 3000, SHAPE)} for _ in range(8)]
    return volume_from_rows(write_series(positions, tags, each, shape=SHAPE))


def by_brute_force(volume: Volume, straight: Volume) -> tuple[np.ndarray, np.ndarray]:
    """(values, inside) of straight's grid: every voxel's place, looked up in its slice, linearly;
    inside: the four voxels around it are there."""
    z, y, x = np.indices(straight.hu.shape)
    places = (straight.affine @ np.stack([z, y, x, np.ones_like(z)]).reshape(4, -1))[:3]
    turn = volume.place.orientation
    values, inside = np.zeros(straight.hu.shape), np.zeros(straight.hu.shape, bool)
    for k, origin in enumerate(volume.place.origins_mm):
        off = places.reshape(3, *straight.hu.shape)[:, k] - origin[:, None, None]
        down = np.tensordot(turn[3:], off, 1) / volume.place.spacing_mm[0]
        across = np.tensordot(turn[:3], off, 1) / volume.place.spacing_mm[1]
        values[k] = map_coordinates(volume.hu[k].astype(np.float64), [down, across], order=1)
        inside[k] = (down >= 0) & (down <= SHAPE[0] - 1) & (across >= 0) & (across <= SHAPE[1] - 1)
    return values, inside


@pytest.mark.parametrize("unit", ["HU", "grey"])
@pytest.mark.parametrize("step", [(0.0, 0.0, 5.0), (0.7, 0.3, 5.0), (-0.7, 0.0, 5.0)])
def test_a_rectified_volume_agrees_with_brute_force(
    write_series: WriteSeries, step: tuple[float, float, float], unit: str
) -> None:
    volume = tilted(write_series, step, unit)
    straight = deshear(volume)
    values, inside = by_brute_force(volume, straight)
    assert inside.mean() > 0.25
    np.testing.assert_allclose(straight.hu[inside], values[inside], atol=2e-2)


def test_a_rectified_volume_has_right_angles_and_keeps_its_slices(
    write_series: WriteSeries,
) -> None:
    volume = tilted(write_series, (0.0, 0.0, 5.0), "HU")
    straight = deshear(volume)
    axes = require_affine(straight)[:3, :3]
    np.testing.assert_allclose(axes.T @ axes, np.diag(np.diag(axes.T @ axes)), atol=1e-6)
    assert straight.sources == volume.sources
    np.testing.assert_array_equal(straight.slice_map, np.arange(8))
    np.testing.assert_allclose(np.diff(straight.positions_mm), np.diff(volume.positions_mm))
    ((name, how),) = [(issue.name, issue.resolved_by) for issue in straight.issues]
    assert name == "gantry_tilt"
    assert how == "desheared: slices moved in their plane by up to 9.06 mm"  # 35 mm * sin 15


def test_no_voxel_is_lost_and_the_rest_is_air(write_series: WriteSeries) -> None:
    """Whole steps of a voxel: every value is there again, at its own place."""
    volume = tilted(write_series, (0.0, 0.0, 5.0), "HU")
    turn = volume.place.orientation
    normal = np.cross(turn[:3], turn[3:])
    origins = volume.place.origins_mm[0] + np.arange(8)[:, None] * (5 * normal + turn[3:] * 1.0)
    whole = Volume(
        volume.hu,
        type(volume.place)(origins, turn, volume.place.spacing_mm, volume.place.thickness_mm),
        volume.sources,
        (),
        volume.slice_map,
    )
    straight = deshear(whole)
    assert straight.hu.shape == (8, SHAPE[0] + 14, SHAPE[1])
    for k in range(8):
        np.testing.assert_array_equal(straight.hu[k, 2 * k : 2 * k + SHAPE[0]], volume.hu[k])
        assert (straight.hu[k, : 2 * k] == -1024).all()
        assert (straight.hu[k, 2 * k + SHAPE[0] :] == -1024).all()


def test_a_slice_beside_the_line_is_moved_onto_it(write_series: WriteSeries, stack: Stack) -> None:
    positions = stack(6)
    positions[3] += [1.0, -2.0, 0]
    volume = volume_from_rows(write_series(positions))
    straight = deshear(volume)
    assert [issue.name for issue in straight.issues if issue.resolved_by] == ["irregular_spacing"]
    np.testing.assert_allclose(np.diff(straight.place.origins_mm, axis=0)[:, :2], 0, atol=1e-9)
    assert require_affine(straight)[:3, 0] == pytest.approx([0, 0, 5])


def test_a_volume_without_places_is_not_moved(write_series: WriteSeries, stack: Stack) -> None:
    volume = volume_from_rows(write_series(stack(3), {"ImagePositionPatient": None}))
    with pytest.raises(StackError, match="no_geometry"):
        deshear(volume)


def test_the_real_tilted_head_is_rectified_and_made_even(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "head_ct_tilted" / "series.zip"
    (rows,) = series_slices(build_index([source], tmp_path / "i.parquet", workers=1).images)
    volume = volume_from_rows(rows)
    apart = np.diff(volume.positions_mm)
    np.testing.assert_allclose(apart, [4.002] * 13 + [1.081] + [6.999] * 13, atol=2e-3)
    with pytest.raises(StackError, match=r"irregular_spacing: 1\.08 mm after slice 13"):
        require_affine(volume)
    even = deshear(resample(volume, 4.0))
    axes = require_affine(even)[:3, :3]
    np.testing.assert_allclose(np.linalg.norm(axes, axis=0), [4, 0.4882812, 0.4882812], atol=1e-3)
    np.testing.assert_allclose(axes.T @ axes, np.diag(np.diag(axes.T @ axes)), atol=1e-6)
    assert even.hu.shape[0] == 37  # 144.09 mm in steps of 4
