"""tests/study/test_volume.py: a volume holds HU in order, the place of voxels, what is unusual."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.archive.index.index import build_index
from wetread.archive.rejects import RejectError
from wetread.study.series import series_slices
from wetread.study.volume import volume_from_rows

WriteSeries = Callable[..., pl.DataFrame]
Stack = Callable[..., np.ndarray]


def names(issues: object) -> list[str]:
    return [issue.name for issue in issues]  # type: ignore[attr-defined]


def test_slices_are_stacked_in_order_with_their_place(
    write_series: WriteSeries, stack: Stack
) -> None:
    volume = volume_from_rows(write_series(stack(5)[::-1]))
    assert volume.hu.shape == (5, 6, 8)
    assert volume.hu[:, 0, 0].tolist() == [4, 3, 2, 1, 0]
    assert volume.sources == tuple(f"1.2.3.{k}" for k in (4, 3, 2, 1, 0))
    assert volume.positions_mm.tolist() == [30, 35, 40, 45, 50]
    np.testing.assert_allclose(volume.affine @ [4, 0, 0, 1], [-10, -20, 50, 1])
    np.testing.assert_allclose(volume.affine @ [0, 2, 4, 1], [-9, -19, 30, 1])
    assert (volume.unit, volume.issues) == ("HU", ())


def test_every_slice_is_rescaled_by_its_own_header(write_series: WriteSeries, stack: Stack) -> None:
    each = [{"RescaleSlope": 1 + k, "RescaleIntercept": -1000 * k} for k in range(3)]
    volume = volume_from_rows(write_series(stack(3), each=each))
    expected = [(1024 + k) * (1 + k) - 1000 * k for k in range(3)]
    assert volume.hu[:, 2, 2].tolist() == expected
    assert names(volume.issues) == ["mixed_rescale"]


def test_padding_is_air_and_said_where_no_header_declares_it(
    write_series: WriteSeries, stack: Stack
) -> None:
    pixels = np.full((6, 8), 1024)
    pixels[0] = -2000
    volume = volume_from_rows(write_series(stack(2), {"pixels": pixels}))
    assert volume.hu.min() == -1024
    assert names(volume.issues) == ["padding_undeclared"]


def test_a_slice_that_cannot_be_read_is_left_out_and_named(
    write_series: WriteSeries, stack: Stack
) -> None:
    rows = write_series(stack(4))
    path = rows.filter(pl.col("SOPInstanceUID") == "1.2.3.2")["path"].item()
    Path(path).unlink()
    volume = volume_from_rows(rows)
    assert volume.sources == ("1.2.3.0", "1.2.3.1", "1.2.3.3")
    assert "1.2.3.2 (io_error)" in {i.name: i.detail for i in volume.issues}["slices_rejected"]


def test_a_series_of_which_nothing_can_be_read_is_refused(
    write_series: WriteSeries, stack: Stack
) -> None:
    rows = write_series(stack(2))
    for path in rows["path"]:
        Path(path).unlink()
    with pytest.raises(RejectError, match="io_error"):
        volume_from_rows(rows)


def test_a_slice_of_another_shape_is_left_out_and_named(
    write_series: WriteSeries, stack: Stack
) -> None:
    volume = volume_from_rows(write_series(stack(3), each=[{}, {}, {"Rows": 4}]))
    assert volume.sources == ("1.2.3.0", "1.2.3.1")
    assert names(volume.issues) == ["mixed_shape"]


def test_a_radiograph_keeps_its_grey_values(write_series: WriteSeries, stack: Stack) -> None:
    tags = {"Modality": "CR", "RescaleSlope": None, "RescaleIntercept": None}
    volume = volume_from_rows(write_series(stack(1), tags))
    assert (volume.unit, volume.hu.max()) == ("grey", 1024)


def test_a_slice_without_a_place_has_no_affine(write_series: WriteSeries, stack: Stack) -> None:
    volume = volume_from_rows(write_series(stack(1), {"ImagePositionPatient": None}))
    assert np.isnan(volume.affine).all()
    assert np.isnan(volume.positions_mm).all()


def test_the_tilted_real_head_has_its_tilt_and_three_distances(
    real_data: Path, tmp_path: Path
) -> None:
    source = real_data / "head_ct_tilted" / "series.zip"
    (rows,) = series_slices(build_index([source], tmp_path / "i.parquet", workers=1).images)
    volume = volume_from_rows(rows)
    assert volume.hu.shape == (28, 512, 512)
    assert list(rows["InstanceNumber"]) == list(range(1, 29))
    np.testing.assert_allclose(volume.positions_mm[[0, -1]], [-33.67, 110.42], atol=0.01)
    issues = {issue.name: issue.detail for issue in volume.issues}
    assert issues["gantry_tilt"].startswith("18.50 degrees")
    assert "1.08 mm" in issues["irregular_spacing"]
    assert "gap" not in issues
