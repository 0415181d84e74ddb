"""tests/outputs/test_nifti.py: what a NIfTI file says of place and values is what dcm2niix, nibabel
and the header say."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from wetread.archive.index.index import build_index
from wetread.outputs.nifti import nifti_bytes, write_nifti, write_nifti_masks
from wetread.study.geometry import affine_ijk_ras
from wetread.study.series import series_slices
from wetread.study.stack import StackError, require_affine
from wetread.study.volume import Volume, volume_from_rows

nibabel = pytest.importorskip("nibabel")
AIR = -1024


def volume_of(source: Path, tmp_path: Path) -> Volume:
    rows = build_index([source], tmp_path / "index.parquet", workers=1).images
    return volume_from_rows(series_slices(rows)[0])


def by_dcm2niix(folder: Path, out: Path) -> list[Path]:
    """The files of dcm2niix, the plain one first."""
    pytest.importorskip("dcm2niix", reason="dcm2niix is not installed")
    out.mkdir()
    command = [sys.executable, "-m", "dcm2niix", "-z", "n", "-f", "x", "-o", out, folder]
    subprocess.run([*map(str, command)], check=True, capture_output=True)
    return sorted(out.glob("*.nii"), key=lambda path: len(path.name))


def test_values_and_places_agree_with_dcm2niix_on_a_real_chest(
    real_data: Path, tmp_path: Path
) -> None:
    """dcm2niix stores the rows from the back: its index is ours turned, the place is the same."""
    source = real_data / "chest_ct"
    volume = volume_of(source, tmp_path)
    write_nifti(tmp_path / "ours.nii", volume.hu.astype(np.int16), require_affine(volume))
    ours = nibabel.load(tmp_path / "ours.nii")
    (file,) = by_dcm2niix(source, tmp_path / "theirs")
    theirs = nibabel.load(file)
    theirs_of_ours = np.linalg.inv(theirs.affine) @ ours.affine  # index to index
    turned = np.rint(theirs_of_ours)
    assert np.abs(theirs.affine @ turned - ours.affine).max() < 1e-4  # mm
    assert turned.tolist() == [[1, 0, 0, 0], [0, -1, 0, 511], [0, 0, 1, 0], [0, 0, 0, 1]]
    there = np.asanyarray(theirs.dataobj)[:, ::-1]
    here = np.asanyarray(ours.dataobj)
    assert here.shape == (512, 512, 100)
    np.testing.assert_array_equal(here, np.maximum(there, AIR))
    assert there.min() == -3024  # its padding; ours is air


@pytest.fixture
def tilted(real_data: Path, tmp_path: Path) -> tuple[Volume, Path]:
    """The head with a tilted gantry, as a volume and as files."""
    with zipfile.ZipFile(real_data / "head_ct_tilted" / "series.zip") as packed:
        packed.extractall(tmp_path / "files")
    return volume_of(tmp_path / "files", tmp_path), tmp_path / "files"


def test_a_tilted_head_lies_where_its_header_says_and_not_where_dcm2niix_says(
    tilted: tuple[Volume, Path], tmp_path: Path
) -> None:
    """dcm2niix takes the first distance along the normal, 4.002 mm, for every step of the table,
    which are 4.220, 1.140 and 7.380 mm: docs/geometry.md."""
    volume, files = tilted
    with pytest.raises(StackError, match="irregular_spacing"):
        require_affine(volume)
    plain, straightened = map(nibabel.load, by_dcm2niix(files, tmp_path / "theirs"))
    there = np.asanyarray(plain.dataobj)[:, ::-1].transpose(2, 1, 0)
    np.testing.assert_array_equal(volume.hu, np.maximum(there, AIR))
    last_row = plain.shape[1] - 1
    corners = np.array([(plain.affine @ (0, last_row, k, 1))[:3] for k in range(28)])
    off = np.linalg.norm(corners * (-1, -1, 1) - volume.place.origins_mm, axis=1)
    np.testing.assert_allclose(np.diff(off[:14]), 4.220 - 4.002, atol=2e-3)
    assert off.max() == pytest.approx(43.89, abs=0.01)
    axes = straightened.affine[:3, :3]
    axes = axes / np.linalg.norm(axes, axis=0)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-6)  # no shear is left


@pytest.fixture
def sheared(tmp_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(voxels (3, 4, 5), affine) whose steps lean by 15 degrees down the columns."""
    affine = np.eye(4)
    affine[:3, 0] = (0, 5 * np.sin(np.radians(15)), 5 * np.cos(np.radians(15)))
    affine[:3, 1], affine[:3, 2], affine[:3, 3] = (0, 0.5, 0), (0.25, 0, 0), (-10, -20, 30)
    return np.arange(60, dtype=np.int16).reshape(3, 4, 5), affine


def test_a_shear_is_in_the_sform_and_no_qform_denies_it(
    sheared: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    voxels, affine = sheared
    write_nifti(tmp_path / "v.nii.gz", voxels, affine)
    image = nibabel.load(tmp_path / "v.nii.gz")
    assert int(image.header["sform_code"]) == 1
    assert int(image.header["qform_code"]) == 0
    np.testing.assert_allclose(image.affine, affine_ijk_ras(affine), atol=1e-5)
    x, y, z = 4, 1, 2
    assert np.asanyarray(image.dataobj)[x, y, z] == voxels[z, y, x]
    place = affine @ (z, y, x, 1)
    np.testing.assert_allclose((image.affine @ (x, y, z, 1))[:2], -place[:2], atol=1e-5)


def test_right_angles_are_in_the_qform_too_so_that_itk_reads_the_place(
    tmp_path: Path,
) -> None:
    sitk = pytest.importorskip("SimpleITK")
    turn = np.radians(20)  # an oblique stack at right angles
    affine = np.eye(4)
    affine[:3, 2] = 0.25 * np.array([np.cos(turn), 0, np.sin(turn)])
    affine[:3, 1] = 0.5 * np.array([0, 1, 0])
    affine[:3, 0] = 3 * np.array([-np.sin(turn), 0, np.cos(turn)])
    affine[:3, 3] = (1, 2, 3)
    voxels = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    write_nifti(tmp_path / "v.nii.gz", voxels, affine)
    image = sitk.ReadImage(str(tmp_path / "v.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), voxels)
    np.testing.assert_allclose(
        image.TransformIndexToPhysicalPoint((4, 3, 2)), (affine @ (2, 3, 4, 1))[:3], atol=1e-4
    )
    assert int(nibabel.load(tmp_path / "v.nii.gz").header["qform_code"]) == 1


def test_the_same_voxels_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(tmp_path / name, np.zeros((2, 3, 4), np.uint8), np.eye(4))
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_slices_without_a_common_affine_are_no_nifti_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs an affine"):
        write_nifti(tmp_path / "v.nii", np.zeros((2, 3, 4)), np.full((4, 4), np.nan))
    assert not list(tmp_path.iterdir())


def test_masks_written_one_after_the_other_are_the_file_of_the_whole_volume(tmp_path: Path) -> None:
    masks = np.random.default_rng(0).random((3, 4, 5)) > 0.5
    affine = np.array([[0, 0, 0.7, -20], [0, 0.6, 0, 4], [2.5, 0, 0, -90], [0, 0, 0, 1.0]])
    write_nifti_masks(tmp_path / "m.nii.gz", iter(masks), masks.shape, affine)
    written = nibabel.load(tmp_path / "m.nii.gz")
    whole = nibabel.Nifti1Image.from_bytes(nifti_bytes(masks.astype(np.uint8), affine))
    np.testing.assert_array_equal(np.asarray(written.dataobj), np.asarray(whole.dataobj))
    np.testing.assert_array_equal(written.affine, whole.affine)
    for name in ("dim", "datatype", "pixdim", "sform_code", "qform_code", "vox_offset"):
        np.testing.assert_array_equal(written.header[name], whole.header[name])
    with pytest.raises(ValueError, match="no common one"):
        write_nifti_masks(tmp_path / "n.nii.gz", iter(masks), masks.shape, np.full((4, 4), np.nan))
