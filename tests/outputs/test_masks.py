"""tests/outputs/test_masks.py: a mask's files on its own grid, read by other programs; its side."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from wetread.labels.rle import decode
from wetread.outputs.masks import (
    NO_NIBABEL,
    MaskReading,
    describe_mask,
    patient_side,
    write_mask,
)

MASK = np.random.default_rng(0).random((30, 41)) < 0.3


def half(column0: int, column1: int, columns: int = 40) -> np.ndarray:
    mask = np.zeros((20, columns), bool)
    mask[3:9, column0:column1] = True
    return mask


def test_picture_text_and_words_are_of_the_same_pixels(tmp_path: Path) -> None:
    reading = write_mask(MASK, tmp_path, "1.2.3", "effusion", (0.5, 0.25))
    picture = cv2.imread(str(tmp_path / "1.2.3.png"), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, np.where(MASK, 255, 0))
    text = (tmp_path / "1.2.3.rle").read_text()
    assert text == f"{reading.rle}\n"
    np.testing.assert_array_equal(decode(reading.rle, MASK.shape), MASK)
    assert (reading.finding, reading.area_px) == ("effusion", MASK.sum())
    assert reading.area_mm2 == pytest.approx(MASK.sum() * 0.125)
    assert sorted(reading.files) == sorted(file.name for file in tmp_path.iterdir())


def test_nifti_lies_on_the_grid_in_the_frontal_plane(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    write_mask(MASK, tmp_path, "1.2.3", "effusion", (0.5, 0.25), name="m")
    volume = nibabel.load(tmp_path / "m.nii.gz")
    assert volume.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(volume.dataobj)[:, :, 0].T, MASK)
    assert nibabel.aff2axcodes(volume.affine) == ("L", "I", "A")
    assert volume.header.get_zooms() == pytest.approx((0.25, 0.5, 1.0))


def test_another_program_reads_the_same_nifti(tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    pytest.importorskip("nibabel")
    write_mask(MASK, tmp_path, "m", "effusion", (0.5, 0.25))
    image = sitk.ReadImage(str(tmp_path / "m.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image)[0], MASK)
    assert image.GetSpacing()[:2] == pytest.approx((0.25, 0.5))
    # In LPS: columns run to the patient's left (+x), rows to the feet (-z).
    assert image.TransformIndexToPhysicalPoint((40, 0, 0)) == pytest.approx((10, 0, 0))
    assert image.TransformIndexToPhysicalPoint((0, 10, 0)) == pytest.approx((0, 0, -5))


def test_without_nibabel_the_rest_is_written_and_the_notes_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nibabel", None)
    reading = write_mask(MASK, tmp_path, "m", "effusion")
    assert reading.files == ("m.png", "m.rle")
    assert reading.notes == (NO_NIBABEL,)
    assert not list(tmp_path.glob("*.nii*"))


def test_the_patients_right_is_on_the_images_left() -> None:
    assert patient_side(half(2, 9)) == "right"
    assert patient_side(half(25, 39)) == "left"
    assert patient_side(half(5, 35)) == "both"
    assert patient_side(half(0, 21)) == "right"  # one of 21 columns reaches across
    assert patient_side(half(0, 0)) is None
    assert patient_side(half(2, 21) | half(25, 27)) == "both"


def test_the_middle_column_of_an_odd_image_is_of_both_halves() -> None:
    assert patient_side(half(20, 21, 41)) == "both"
    assert patient_side(half(1, 20, 41)) == "right"
    for first, last in ((3, 12), (18, 23), (10, 30)):
        mask = half(first, last, 41)
        turned = {"right": "left", "left": "right"}
        assert patient_side(mask[:, ::-1]) == turned.get(str(patient_side(mask)), "both")


def test_an_empty_mask_has_no_side_and_an_unknown_spacing_no_mm2(tmp_path: Path) -> None:
    empty = write_mask(np.zeros((5, 5), bool), tmp_path, "e", "effusion")
    assert (empty.area_px, empty.area_mm2, empty.side, empty.rle) == (0, None, None, "-1")
    assert describe_mask(np.zeros((5, 5), bool), "e", "effusion", (1.0, 2.0)).area_mm2 == 0
    assert empty.to_dict()["side"] is None


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (1.0, -1.0), (float("nan"), 1.0)])
def test_a_spacing_that_cannot_be_is_refused(spacing: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="Give None if not known"):
        describe_mask(MASK, "m", "effusion", spacing)


def test_probabilities_are_no_mask() -> None:
    with pytest.raises(ValueError, match="bool"):
        describe_mask(np.zeros((3, 3)), "m", "effusion")  # type: ignore[arg-type]
    assert isinstance(describe_mask(MASK, "m", "effusion"), MaskReading)
