"""tests/archive/pictures/test_volume_file.py: a NIfTI volume lies as CT does, whatever its axes."""

import contextlib
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest

from wetread.archive.pictures.volume_file import parse_volume, volume_fields
from wetread.archive.rejects import RejectError

nibabel = pytest.importorskip("nibabel", reason="NIfTI files need the extra pictures (nibabel)")
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def packed(voxels: np.ndarray, affine: np.ndarray, **scale: float) -> bytes:
    image = nibabel.Nifti1Image(voxels, affine)
    if scale:
        image.header.set_slope_inter(scale["slope"], scale["inter"])
    return bytes(image.to_bytes())


def place(affine: np.ndarray) -> np.ndarray:
    """mm, RAS, of every voxel (i, j, k)."""
    i, j, k = np.meshgrid(*(range(n) for n in (3, 4, 5)), indexing="ij")
    points = np.stack([i, j, k, np.ones_like(i)]).reshape(4, -1)
    return (affine @ points)[:3].T


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("signs", list(product([1, -1], repeat=3)))
def test_each_value_stays_at_its_place(axes: tuple[int, ...], signs: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, axes] * signs * [0.5, 0.7, 3.0]
    affine[:3, 3] = [-20, 30, 400]
    voxels = rng.integers(-1000, 2000, (3, 4, 5)).astype(np.int16)
    volume = parse_volume(packed(voxels, affine))
    known = {tuple(np.round(at, 6)): v for at, v in zip(place(affine), voxels.ravel(), strict=True)}
    frames, rows, columns = volume.stored.shape
    for frame, row, column in product(range(frames), range(rows), range(columns)):
        at = volume.affine @ [column, row, frame, 1]
        assert known[tuple(np.round((LPS @ at)[:3], 6))] == volume.stored[frame, row, column]
    # Columns run to the left, rows to the back, slices to the head.
    assert (np.diag(volume.affine)[:3] > 0).all()


def test_values_are_those_of_nibabel_and_in_hu_where_air_is() -> None:
    voxels = np.arange(-1000, 200, 20, dtype=np.int16).reshape(3, 4, 5)
    data = packed(voxels, np.diag([-1.0, -1, 1, 1]), slope=0.5, inter=-1024.0)
    fields, volume = volume_fields(data, "CT"), parse_volume(data)
    values = nibabel.Nifti1Image.from_bytes(data).get_fdata()
    np.testing.assert_array_equal(volume.stored * 0.5 - 1024, values.T)
    assert (fields["RescaleSlope"], fields["RescaleIntercept"]) == (0.5, -1024.0)
    assert fields["RescaleType"] == "HU"
    grey = volume_fields(packed(np.abs(voxels), np.eye(4)), "CT")
    assert (grey["RescaleSlope"], grey["RescaleType"]) == (None, None)
    assert volume_fields(packed(voxels, np.eye(4)), "MR")["RescaleType"] is None
    assert (grey["NumberOfFrames"], grey["Rows"], grey["Columns"]) == (5, 4, 3)


@pytest.mark.parametrize(
    ("kind", "bits", "sign"), [("u1", 8, 0), ("<u2", 16, 0), (">i2", 16, 1), ("<i4", 32, 1)]
)
def test_integers_are_kept(kind: str, bits: int, sign: int) -> None:
    voxels = np.arange(60).reshape(3, 4, 5).astype(kind)
    data = packed(voxels, np.diag([-1.0, -1, 1, 1]))
    volume, fields = parse_volume(data), volume_fields(data, "MR")
    np.testing.assert_array_equal(volume.stored, voxels.T)
    assert (fields["BitsStored"], fields["PixelRepresentation"]) == (bits, sign)
    assert fields["notes"] == []


def test_fractions_are_rescaled_to_16_bits_with_a_note() -> None:
    for least, most in ((-1000.0, 3000.0), (0.0, 1.0), (0.2, 6.3)):
        voxels = np.linspace(least, most, 60).reshape(3, 4, 5)
        data = packed(voxels, np.diag([-1.0, -1, 1, 1]))
        volume, fields = parse_volume(data), volume_fields(data, "PT")
        off = np.abs(volume.stored * volume.slope + volume.intercept - voxels.T).max()
        assert off <= volume.rounded * (1 + 1e-6)
        assert volume.rounded == pytest.approx((most - least) / 65535 / 2)
        assert fields["notes"][0].startswith("rounded: values by ")
        assert fields["RescaleSlope"] == volume.slope
    exact = parse_volume(packed(np.round(voxels), np.eye(4)))
    assert (exact.rounded, exact.slope) == (0, 1)
    assert exact.stored.dtype == np.int16
    assert parse_volume(packed(np.full((3, 4, 5), 0.5), np.eye(4))).intercept == 0.5


def test_the_second_version_and_a_single_slice_are_read() -> None:
    voxels = np.arange(20, dtype=np.int16).reshape(4, 5, 1)
    second = bytes(nibabel.Nifti2Image(voxels, np.diag([-1.0, -1, 1, 1])).to_bytes())
    np.testing.assert_array_equal(parse_volume(second).stored, voxels.T)


def test_a_tilted_gantry_keeps_its_slices_and_sheared_slices_are_refused() -> None:
    tilted = np.eye(4)
    tilted[:3, 2] = [0, 0.4, 2]
    volume = parse_volume(packed(np.zeros((3, 4, 5), np.int16), tilted))
    np.testing.assert_allclose(volume.affine[:3, 2], [0, -0.4, 2])
    sheared = np.eye(4)
    sheared[0, 1] = 0.3
    with pytest.raises(RejectError, match="no_geometry"):
        parse_volume(packed(np.zeros((3, 4, 5), np.int16), sheared))


def test_what_is_no_volume_of_numbers_is_refused() -> None:
    whole = packed(np.zeros((9, 9, 9), np.int16), np.eye(4))
    cases: list[tuple[bytes, str]] = [
        (whole[:-200], "truncated_pixels"),
        (packed(np.zeros((3, 4, 5, 2), np.int16), np.eye(4)), "wrong_kind"),
        (packed(np.full((3, 4, 5), np.nan), np.eye(4)), "bad_number"),
    ]
    for data, reason in cases:
        with pytest.raises(RejectError, match=reason):
            parse_volume(data)
    one: Any = parse_volume(packed(np.zeros((3, 4, 5, 1), np.int16), np.eye(4)))
    assert one.stored.shape == (5, 4, 3)


def test_broken_bytes_are_read_or_refused() -> None:
    rng = np.random.default_rng(0)
    good = packed(np.full((6, 7, 8), -900, np.int16), np.eye(4))
    for _ in range(600):
        broken = bytearray(good)
        for _ in range(rng.integers(1, 6)):
            broken[rng.integers(0, 360)] = rng.integers(0, 256)
        with contextlib.suppress(RejectError):
            volume_fields(bytes(broken), "CT")
