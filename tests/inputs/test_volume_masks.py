"""tests/inputs/test_volume_masks.py: a mask file lies on the volume's voxels, or is refused."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from wetread.inputs.volume_masks import read_masks
from wetread.outputs.nifti import write_nifti
from wetread.study.placement import SlicePlacement
from wetread.study.volume import Volume

SHAPE = (4, 5, 6)


def volume(*, even: bool = True) -> Volume:
    """Tilted by 18 degrees; uneven: without one affine."""
    along = np.arange(4) * 5.0 if even else np.array([0.0, 1, 5, 30])
    origins = np.stack([np.full(4, 7.0), along * -0.31, along * 0.95], 1)
    turn = np.array([1.0, 0, 0, 0, np.cos(0.3), -np.sin(0.3)])
    place = SlicePlacement(origins, turn, (0.5, 0.75), np.full(4, 5.0))
    return Volume(np.zeros(SHAPE, np.float32), place, ("",) * 4, (), np.arange(4.0))


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 3, SHAPE).astype(np.uint8)


def test_npy_labels_become_a_mask_each_and_a_lone_one_keeps_the_files_name(
    tmp_path: Path, labels: np.ndarray
) -> None:
    np.save(tmp_path / "organs.npy", labels)
    found = read_masks(tmp_path / "organs.npy", volume())
    assert list(found) == ["organs 1", "organs 2"]
    np.testing.assert_array_equal(found["organs 2"], labels == 2)
    np.save(tmp_path / "lung.npy", labels == 1)
    (lone,) = read_masks(tmp_path / "lung.npy", volume()).items()
    assert lone[0] == "lung"
    np.testing.assert_array_equal(lone[1], labels == 1)


@pytest.mark.parametrize("axes", [((0, 1), (1, 1), (2, 1)), ((2, -1), (0, 1), (1, -1))])
def test_a_nifti_file_is_turned_to_the_volumes_axes(
    tmp_path: Path, labels: np.ndarray, axes: tuple[tuple[int, int], ...]
) -> None:
    path = tmp_path / "organ.nii.gz"
    write_nifti(path, labels, volume().affine)
    turned = nibabel.load(path).as_reoriented(np.array(axes))
    nibabel.save(turned, path)
    assert (turned.shape == SHAPE[::-1]) == (axes[0] == (0, 1))
    np.testing.assert_array_equal(read_masks(path, volume())["organ 2"], labels == 2)


def test_a_nifti_file_beside_the_volume_is_refused(tmp_path: Path, labels: np.ndarray) -> None:
    path = tmp_path / "organ.nii"
    beside = volume().affine.copy()
    beside[:3, 3] += beside[:3, 2]  # one column on
    write_nifti(path, labels, beside)
    with pytest.raises(ValueError, match=r"organ\.nii: its voxels lie up to 1\.0 voxels beside"):
        read_masks(path, volume())
    turned = beside.copy()
    turned[:3, :3] = turned[:3, :3] @ np.array([[0.8, 0.6, 0], [-0.6, 0.8, 0], [0, 0, 1]])
    write_nifti(path, labels, turned)
    with pytest.raises(ValueError, match=r"organ\.nii: its axes are not the series'"):
        read_masks(path, volume())


def test_a_volume_without_an_affine_takes_a_nifti_file_as_it_lies(
    tmp_path: Path, labels: np.ndarray
) -> None:
    write_nifti(tmp_path / "organ.nii.gz", labels, np.eye(4))
    uneven = volume(even=False)
    assert np.isnan(uneven.affine).all()
    found = read_masks(tmp_path / "organ.nii.gz", uneven)
    np.testing.assert_array_equal(found["organ 1"], labels == 1)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((4, 6, 5)), "4 x 6 x 5 voxels .* the series has 4 x 5 x 6"),
        (np.linspace(0, 1, 120).reshape(SHAPE), "120 different values from 0 to 1"),
        (np.arange(120).reshape(SHAPE), "120 different values from 0 to 119"),
        (np.full(SHAPE, np.nan), "a mask holds 0 outside and whole numbers inside"),
        (np.full(SHAPE, "x"), "numbers are wanted"),
    ],
)
def test_what_is_no_mask_of_the_volume_is_refused_with_the_reason(
    tmp_path: Path, array: np.ndarray, said: str
) -> None:
    np.save(tmp_path / "m.npy", array)
    with pytest.raises(ValueError, match=rf"m\.npy: .*{said}"):
        read_masks(tmp_path / "m.npy", volume())


def test_other_files_and_broken_ones_are_refused_by_name(tmp_path: Path) -> None:
    for name in ("m.png", "m.npy", "m.nii.gz", "n.nii"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        with pytest.raises(ValueError, match=name):
            read_masks(tmp_path / name, volume())
    with pytest.raises(FileNotFoundError, match=r"gone\.npy does not exist"):
        read_masks(tmp_path / "gone.npy", volume())
