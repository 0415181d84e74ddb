"""tests/inputs/test_segmentations.py: DICOM Segmentations that others wrote, as labels, beside what
highdicom reads of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from wetread.inputs.label_file import read_label_file
from wetread.labels.mask_text import decode_masks
from wetread.labels.table import LabelError
from wetread.tasks import Task, find_task
from wetread.tasks.own.build import build_task

highdicom = pytest.importorskip("highdicom", reason="what reads it a second time is highdicom")
DRAWN = """
modalities = ["CT"]
[[findings]]
name = "liver"
level = "pixel"
[[findings]]
name = "first_segment"
[[findings]]
name = "second_segment"
[[labels]]
id = "id"
"""


@pytest.fixture(scope="module")
def task() -> Task:
    return build_task(DRAWN, "mine.toml", "mine")


@pytest.fixture(scope="module")
def objects(real_data: Path) -> Path:
    folder = real_data / "objects"
    if not folder.is_dir():
        pytest.skip(f"no Segmentations at {folder}")
    return folder


def by_highdicom(path: Path, images: list[str], segment: int) -> np.ndarray:
    """The mask (images, rows, columns) of a segment, from half of a fraction on."""
    read = highdicom.seg.segread(path)
    pixels = read.get_pixels_by_source_instance(
        images, segment_numbers=[segment], assert_missing_frames_are_empty=True,
        ignore_spatial_locations=True,  # some writers do not say that these are kept
        rescale_fractional=read.segmentation_type.value == "FRACTIONAL",
    )[..., 0]  # fmt: skip
    return np.asarray(pixels >= 0.5 if pixels.dtype.kind == "f" else pixels > 0)


@pytest.mark.parametrize(
    ("name", "finding", "segment"),
    [
        ("highdicom/seg_image_ct_binary.dcm", "first_segment", 1),
        ("highdicom/seg_image_ct_binary_overlap.dcm", "second_segment", 2),
        ("highdicom/seg_image_ct_binary_fractional.dcm", "first_segment", 1),
        ("highdicom/seg_image_ct_true_fractional.dcm", "first_segment", 1),
        ("highdicom/seg_image_ct_binary_single_frame.dcm", "first_segment", 1),
        ("dcmqi/liver.dcm", "liver", 1),
        ("dcmqi/sparse-labelmap-ppv5.dcm", "liver", 1),
    ],
)
def test_each_image_has_the_mask_that_highdicom_reads(
    objects: Path, task: Task, name: str, finding: str, segment: int
) -> None:
    path = objects / name
    table = read_label_file(path, task, None)
    images = table.frame.filter(finding=finding)["id"].to_list()
    assert images
    listed = pydicom.dcmread(path, stop_before_pixels=True).ReferencedSeriesSequence
    assert set(images) == {
        one.ReferencedSOPInstanceUID for s in listed for one in s.ReferencedInstanceSequence
    }
    expected = by_highdicom(path, images, segment)
    masks = {
        row["id"]: decode_masks(row["runs"], expected.shape[1:], row["form"])
        for row in table.masks.filter(finding=finding).iter_rows(named=True)
    }
    for image, mask in zip(images, expected, strict=True):
        (value,) = table.frame.filter(id=image, finding=finding)["value"]
        assert value == float(mask.any())
        if mask.any():
            np.testing.assert_array_equal(masks[image], mask)
        else:
            assert image not in masks


def test_a_folder_is_all_of_its_segmentations(objects: Path, task: Task, tmp_path: Path) -> None:
    names = ("highdicom/seg_image_ct_binary.dcm", "dcmqi/liver.dcm")
    for number, name in enumerate(names):
        (tmp_path / f"{number}.dcm").write_bytes((objects / name).read_bytes())
    together = read_label_file(tmp_path, task, None)
    each = [read_label_file(objects / name, task, None) for name in names]
    assert together.frame.height == sum(one.frame.height for one in each)
    assert together.masks.height == sum(one.masks.height for one in each)


def test_segmentations_of_one_series_are_united(objects: Path, task: Task, tmp_path: Path) -> None:
    whole = objects / "highdicom" / "seg_image_ct_binary_overlap.dcm"
    for number in (1, 2):  # each with the frames of one segment
        data: Any = pydicom.dcmread(whole)
        frames, groups = data.pixel_array, data.PerFrameFunctionalGroupsSequence
        own = [
            k for k, group in enumerate(groups)
            if group.SegmentIdentificationSequence[0].ReferencedSegmentNumber == number
        ]  # fmt: skip
        data.PerFrameFunctionalGroupsSequence = [groups[k] for k in own]
        data.NumberOfFrames = len(own)
        bits = np.packbits(frames[own].ravel(), bitorder="little").tobytes()
        data.PixelData = bits + b"\0" * (len(bits) % 2)
        data.save_as(tmp_path / f"{number}.dcm")
    apart = read_label_file(f"{tmp_path}:liver", task, None)
    together = read_label_file(f"{whole}:liver", task, None)
    assert apart.conflicts.is_empty()
    assert sorted(apart.frame.rows()) == sorted(together.frame.rows())
    assert sorted(apart.masks.rows()) == sorted(together.masks.rows())


def test_segments_of_other_names_are_asked_about(objects: Path, task: Task) -> None:
    path = objects / "dcmqi" / "partial_overlaps.dcm"
    of_liver = read_label_file(path, task, None)  # the only finding that is drawn
    assert of_liver.masks["finding"].unique().to_list() == ["liver"]
    several = build_task(DRAWN.replace('"first_segment"', '"first"\nlevel = "pixel"'), "m", "m")
    with pytest.raises(LabelError, match=r"of which finding is this mask\? Write partial"):
        read_label_file(path, several, None)
    table = read_label_file(f"{path}:liver", task, None)
    assert table.masks["finding"].unique().to_list() == ["liver"]
    with pytest.raises(LabelError, match="spleen is no finding that masks"):
        read_label_file(f"{path}:spleen", task, None)


def test_what_is_no_segmentation_is_refused(objects: Path, tmp_path: Path) -> None:
    films = find_task("pneumothorax")
    with pytest.raises(LabelError, match="no DICOM Segmentation that can be read"):
        read_label_file(objects / "highdicom" / "ct_image.dcm", films, None)
    (tmp_path / "x.dcm").write_bytes(b"no DICOM")
    with pytest.raises(LabelError, match="no DICOM Segmentation that can be read"):
        read_label_file(tmp_path / "x.dcm", films, None)
    data: Any = pydicom.dcmread(objects / "highdicom" / "seg_image_ct_binary.dcm")
    first = data.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0]
    first.SourceImageSequence[0].SpatialLocationsPreserved = "NO"
    data.save_as(tmp_path / "moved.dcm")
    with pytest.raises(LabelError, match="frame 1 lies otherwise than its image"):
        read_label_file(tmp_path / "moved.dcm", films, None)
    first.SourceImageSequence[0].SpatialLocationsPreserved = "YES"
    first.SourceImageSequence[0].ReferencedFrameNumber = 1
    data.save_as(tmp_path / "frame.dcm")
    with pytest.raises(LabelError, match="was made of one frame of a file of several"):
        read_label_file(tmp_path / "frame.dcm", films, None)
    for group in data.PerFrameFunctionalGroupsSequence:
        del group.DerivationImageSequence
    data.save_as(tmp_path / "y.dcm")
    with pytest.raises(LabelError, match="frame 1 names no image that it was made of"):
        read_label_file(tmp_path / "y.dcm", films, None)
