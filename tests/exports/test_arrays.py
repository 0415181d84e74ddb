"""tests/exports/test_arrays.py: an array file gives back every value and where it lies."""

import gzip
from io import BytesIO

import numpy as np
import pytest

from wetread.exports.arrays import encode_nifti, encode_npy, encode_npz, volume_spacing
from wetread.study.placement import SlicePlacement
from wetread.study.stack import StackError
from wetread.study.volume import Volume


def volume(heights: tuple[float, ...] = (0.0, 5.0, 10.0)) -> Volume:
    """Slices of 2 x 4 pixels at those mm along z; the values are whole HU."""
    origins = np.array([[1.0, 2.0, height] for height in heights])
    thickness = np.full(len(heights), 5.0)
    place = SlicePlacement(origins, np.array([1, 0, 0, 0, 1, 0.0]), (0.5, 0.4), thickness)
    hu = np.arange(8 * len(heights), dtype=np.float32).reshape(-1, 2, 4) - 10
    uids = tuple(f"1.{k}" for k in range(len(heights)))
    return Volume(
        hu=hu,
        place=place,
        sources=uids,
        slice_map=np.arange(float(len(heights))),
        issues=(),
        unit="HU",
    )


def test_npy_holds_whole_values_as_integers() -> None:
    content, numbers = encode_npy(volume())
    read = np.load(BytesIO(content))
    assert read.dtype == numbers.dtype == np.int16
    assert np.array_equal(read, volume().hu)


def test_npz_says_where_each_slice_lies() -> None:
    read = np.load(BytesIO(encode_npz(volume())[0]))
    assert np.array_equal(read["values"], volume().hu)
    assert read["affine"] @ [2, 1, 3, 1] == pytest.approx([1 + 3 * 0.4, 2 + 0.5, 10, 1])
    assert read["positions_mm"].tolist() == [0, 5, 10]
    assert read["spacing_mm"].tolist() == [5, 0.5, 0.4]
    assert read["sources"].tolist() == ["1.0", "1.1", "1.2"]
    assert str(read["unit"]) == "HU"


def test_the_same_volume_is_the_same_nifti_file_to_the_byte() -> None:
    pytest.importorskip("nibabel", reason="nibabel is not installed")
    first, second = encode_nifti(volume())[0], encode_nifti(volume())[0]
    assert first == second
    assert len(gzip.decompress(first)) == 352 + 2 * volume().hu.size


def test_uneven_slices_have_no_distance_and_no_nifti_file() -> None:
    uneven = volume((0.0, 5.0, 12.0))
    assert np.isnan(volume_spacing(uneven)[0])
    assert volume_spacing(uneven)[1:] == (0.5, 0.4)
    with pytest.raises(StackError):
        encode_nifti(uneven)
