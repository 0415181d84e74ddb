"""tests/outputs/test_mask_array.py: a mask's size is read from its header before its voxels are."""

import gzip
import struct
import tracemalloc
from pathlib import Path

import nibabel
import numpy as np
import pytest

from wetread.outputs.mask_array import read_nifti, read_npy

SHAPE = (4, 5, 6)
MOST = 8 << 20  # bytes that a refusal may take


def nifti_header(shape: tuple[int, ...], *, two: bool = False) -> nibabel.Nifti1Header:
    header = nibabel.Nifti2Header() if two else nibabel.Nifti1Header()
    header.set_data_dtype(np.uint8)
    header.set_data_shape(shape)
    return header


def write_zeros(path: Path, head: bytes, megabytes: int) -> None:
    """A header and zeros after it, which gzip makes a thousandth of."""
    with gzip.open(path, "wb", 1) as file:
        file.write(head)
        for _ in range(megabytes):
            file.write(bytes(1 << 20))


@pytest.fixture
def bounded() -> object:
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MOST


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("two", [False, True], ids=["NIfTI-1", "NIfTI-2"])
def test_a_small_file_that_unpacks_to_far_more_is_refused_by_its_header(
    tmp_path: Path, two: bool
) -> None:
    path = tmp_path / "m.nii.gz"
    head = nifti_header((2000, 2000, 16), two=two).binaryblock + bytes(4)
    write_zeros(path, head, 64)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ValueError, match=r"16 x 2000 x 2000 voxels by its header.*4 x 5 x 6"):
        read_nifti(path, SHAPE)


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("where", ["offset", "extension"])
def test_gigabytes_before_the_voxels_are_refused_before_they_are_unpacked(
    tmp_path: Path, where: str
) -> None:
    head = bytearray(nifti_header((6, 5, 4)).binaryblock)
    struct.pack_into("<f", head, 108, 3e9 if where == "offset" else 1e6)
    extension = struct.pack("<4B2i", 1, 0, 0, 0, 2_000_000_000, 0)
    write_zeros(tmp_path / "m.nii.gz", bytes(head) + extension, 64)
    with pytest.raises(ValueError, match="gigabytes before the voxels"):
        read_nifti(tmp_path / "m.nii.gz", SHAPE)


@pytest.mark.usefixtures("bounded")
def test_an_npy_file_that_declares_terabytes_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "m.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": (10**5, 10**5, 10**3)}
        )
    with pytest.raises(ValueError, match="100000 x 100000 x 1000 voxels by its header"):
        read_npy(path, SHAPE)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\x93NUMPY", b"\x93NUMPY\x01\0\xff\xff{", b"\x93NUMPY\x09\0"),
        b"PK\x03\x04" * 30,
        b"\x93NUMPY\x01\0\x10\0{'descr': '<f4' \n" + bytes(64),
    ],
    ids=ascii,
)
def test_what_is_no_npy_file_is_one_line_with_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"m\.npy: no NPY array") as found:
        read_npy(tmp_path / "m.npy", SHAPE)
    assert "\n" not in str(found.value)


def test_a_cut_file_of_the_right_header_is_one_line_with_its_name(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.zeros(SHAPE))
    whole = (tmp_path / "m.npy").read_bytes()
    (tmp_path / "m.npy").write_bytes(whole[:-9])
    with pytest.raises(ValueError, match=r"m\.npy: no NPY array"):
        read_npy(tmp_path / "m.npy", SHAPE)
    image = nibabel.Nifti1Image(np.zeros((6, 5, 4), np.uint8), np.eye(4))
    for name, cut in (("m.nii", 9), ("m.nii.gz", 20)):
        nibabel.save(image, tmp_path / name)
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-cut])
        with pytest.raises(ValueError, match=rf"{name}: no NIfTI file"):
            read_nifti(tmp_path / name, SHAPE)
