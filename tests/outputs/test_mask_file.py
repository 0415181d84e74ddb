"""tests/outputs/test_mask_file.py: a mask in a file is taken on its volume's own voxels."""

from pathlib import Path

import numpy as np
import pytest

from wetread.outputs.mask_file import fill_outside, read_mask_file
from wetread.outputs.nifti import write_nifti
from wetread.study.placement import SlicePlacement
from wetread.study.volume import Volume

SHAPE = (2, 3, 4)


def volume(unit: str | None = "HU") -> Volume:
    """Two slices of 3 x 4 pixels, 5 mm apart; the values are 0 to 23."""
    origins = np.array([[0, 0, 0], [0, 0, 5.0]])
    place = SlicePlacement(origins, np.array([1, 0, 0, 0, 1, 0.0]), (0.5, 0.5), np.full(2, 5.0))
    hu = np.arange(24, dtype=np.float32).reshape(SHAPE)
    return Volume(
        hu=hu, place=place, sources=("1", "2"), slice_map=np.arange(2.0), issues=(), unit=unit
    )


def test_an_npy_mask_is_inside_where_it_is_not_0(tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, np.int16)
    mask[1, 2, 3], mask[0, 0, 0] = 7, -1
    np.save(tmp_path / "m.npy", mask)
    inside = read_mask_file(tmp_path / "m.npy", volume())
    assert inside.dtype == np.bool_
    assert np.argwhere(inside).tolist() == [[0, 0, 0], [1, 2, 3]]


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_nifti_mask_comes_back_in_the_volumes_order_of_axes(suffix: str, tmp_path: Path) -> None:
    pytest.importorskip("nibabel", reason="nibabel is not installed")
    inside = np.zeros(SHAPE, bool)
    inside[1, 0, 2] = True
    path = tmp_path / f"m{suffix}"
    write_nifti(path, inside.astype(np.uint8), volume().affine)
    assert np.array_equal(read_mask_file(path, volume()), inside)


def test_a_nifti_mask_that_lies_elsewhere_is_refused_with_its_distance(tmp_path: Path) -> None:
    pytest.importorskip("nibabel", reason="nibabel is not installed")
    affine = volume().affine.copy()
    affine[0, 3] += 12.5
    write_nifti(tmp_path / "m.nii", np.zeros(SHAPE, np.uint8), affine)
    with pytest.raises(ValueError, match=r"12\.5 mm beside the volume"):
        read_mask_file(tmp_path / "m.nii", volume())


def test_a_mask_that_is_absent_or_of_another_shape_or_not_finite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no mask there"):
        read_mask_file(tmp_path / "none.npy", volume())
    np.save(tmp_path / "small.npy", np.zeros((2, 3, 3)))
    with pytest.raises(ValueError, match="2 x 3 x 4 voxels"):
        read_mask_file(tmp_path / "small.npy", volume())
    np.save(tmp_path / "nan.npy", np.full(SHAPE, np.nan))
    with pytest.raises(ValueError, match="no numbers"):
        read_mask_file(tmp_path / "nan.npy", volume())


def test_outside_lies_air_and_without_hu_the_least_value() -> None:
    inside = np.zeros(SHAPE, bool)
    inside[1] = True
    filled = fill_outside(volume(), inside)
    assert np.unique(filled.hu[0]).tolist() == [-1024.0]
    assert np.array_equal(filled.hu[1], volume().hu[1])
    assert np.unique(fill_outside(volume(None), inside).hu[0]).tolist() == [0.0]
