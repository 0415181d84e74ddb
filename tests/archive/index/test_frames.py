"""tests/archive/index/test_frames.py: each frame of an enhanced object has the place and the
values of
its own functional groups."""

from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import (
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from wetread.archive.containers.sources import Entry
from wetread.archive.dataset.functional_groups import group_columns
from wetread.archive.index.examine import examine
from wetread.archive.index.frames import frame_rows
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.pixels.stored_pixels import read_stored
from wetread.archive.rejects import RejectError
from wetread.study.slices import slice_from_row

FRAMES = 6
STORED = np.random.default_rng(1).integers(0, 2000, (FRAMES, 16, 12)).astype(np.int16)


def row_of(path: Path) -> dict[str, Any]:
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    assert found["state"] == "image", found
    return {name: found.get(name) for name in INDEX_SCHEMA}


def item(**tags: Any) -> Dataset:
    found = Dataset()
    for name, value in tags.items():
        setattr(found, name, value)
    return found


def enhanced(path: Path, slopes: list[float | None], **tags: Any) -> Path:
    """6 frames, 2.5 mm apart from z = 100 down; a slope of None leaves a frame to the shared 1."""
    dataset = item(
        SOPClassUID=EnhancedCTImageStorage, SOPInstanceUID=generate_uid(), Modality="CT",
        StudyInstanceUID="1.2.4", SeriesInstanceUID="1.2.5", FrameOfReferenceUID="1.2.6",
        PatientID="P1", PatientName="", PatientBirthDate="", PatientSex="", StudyDate="20200101",
        StudyTime="120000", StudyID="1", AccessionNumber="", ReferringPhysicianName="",
        InstanceNumber=1, SeriesNumber=1, Manufacturer="M", ManufacturerModelName="N",
        DeviceSerialNumber="1", SoftwareVersions="1", ContentDate="20200101",
        ContentTime="120000", AcquisitionDateTime="20200101120000",
        ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2", Rows=16, Columns=12,
        BitsAllocated=16, BitsStored=16, HighBit=15, PixelRepresentation=1,
        NumberOfFrames=FRAMES, LossyImageCompression="00", BurnedInAnnotation="NO",
        PresentationLUTShape="IDENTITY", PixelData=STORED.tobytes(),
    )  # fmt: skip
    transform = item(RescaleIntercept=-1024, RescaleSlope=1, RescaleType="HU")
    voi = item(WindowCenter=40, WindowWidth=80)
    dataset.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[item(PixelSpacing=[0.5, 0.25], SliceThickness=3)],
            PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
            FrameVOILUTSequence=[voi],
        )
    ]
    dataset.PerFrameFunctionalGroupsSequence = []
    for k, slope in enumerate(slopes):
        frame = item(
            FrameContentSequence=[
                item(StackID="A" if k < 3 else "B", InStackPositionNumber=k + 1,
                     DimensionIndexValues=[1, k + 1])
            ],
            PlanePositionSequence=[item(ImagePositionPatient=[-10, -20, 100 - 2.5 * k])],
        )  # fmt: skip
        if slope is not None:
            frame.PixelValueTransformationSequence = [
                item(RescaleIntercept=-1024, RescaleSlope=slope, RescaleType="HU")
            ]
        dataset.PerFrameFunctionalGroupsSequence.append(frame)
    if None in slopes:
        dataset.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence = [transform]
    uid = generate_uid()
    dataset.DimensionOrganizationSequence = [item(DimensionOrganizationUID=uid)]
    dataset.DimensionIndexSequence = [
        item(DimensionIndexPointer=pointer, FunctionalGroupPointer=0x00209111,
             DimensionOrganizationUID=uid)
        for pointer in (0x00209056, 0x00209057)
    ]  # fmt: skip
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return path


def test_one_frame_of_another_slope_agrees_with_highdicom(tmp_path: Path) -> None:
    path = enhanced(tmp_path / "x", [1, 1, 1, 1, 2, 1])
    image = highdicom.imread(path)
    rows = frame_rows(row_of(path))
    for k, row in enumerate(rows):
        one = slice_from_row(row)
        exact = STORED[k].astype(np.float64) * (2 if k == 4 else 1) - 1024
        np.testing.assert_array_equal(
            image.get_frame(k + 1, apply_voi_transform=False, apply_modality_transform=True), exact
        )
        np.testing.assert_array_equal(one.values(), exact)
        assert one.unit == "HU"


def test_a_frame_without_its_own_group_takes_the_shared_one(tmp_path: Path) -> None:
    rows = frame_rows(row_of(enhanced(tmp_path / "x", [None, 0.5, None, None, None, None])))
    assert [row["RescaleSlope"] for row in rows] == [1, 0.5, 1, 1, 1, 1]
    assert [row["frame"] for row in rows] == list(range(FRAMES))
    assert [row["stack_id"] for row in rows] == list("AAABBB")
    assert [row["position_mm"][2] for row in rows] == [100 - 2.5 * k for k in range(FRAMES)]
    for row in rows:
        assert row["orientation"] == [1, 0, 0, 0, 1, 0]
        assert (row["row_spacing_mm"], row["column_spacing_mm"]) == (0.5, 0.25)
        assert (row["SliceThickness"], row["WindowCenter"]) == (3, [40])


def test_the_groups_go_before_the_top_level(tmp_path: Path) -> None:
    path = enhanced(tmp_path / "x", [2] * FRAMES, RescaleSlope=1, RescaleIntercept=0)
    row = row_of(path)
    assert (row["RescaleSlope"], row["RescaleIntercept"]) == (2, -1024)
    assert [one["RescaleSlope"] for one in frame_rows(row)] == [2] * FRAMES


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_each_frame_alone_equals_the_block_of_all(tmp_path: Path, syntax: str) -> None:
    path = enhanced(tmp_path / "x", [1] * FRAMES)
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(path)
    row = row_of(path)
    np.testing.assert_array_equal(read_stored(row), STORED)
    for k, one in enumerate(frame_rows(row)):
        np.testing.assert_array_equal(read_stored(one), STORED[k])


@pytest.mark.parametrize("has_table", [True, False])
def test_frames_in_several_fragments_are_joined(tmp_path: Path, has_table: bool) -> None:
    import imagecodecs

    frames = [bytes(imagecodecs.jpegls_encode(frame.view(np.uint16))) for frame in STORED]
    data = encapsulate(frames, fragments_per_frame=3, has_bot=has_table)
    path = enhanced(tmp_path / "x", [1] * FRAMES)
    dataset = pydicom.dcmread(path)
    dataset.PixelData = data
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    np.testing.assert_array_equal(read_stored(row_of(path)), STORED)
    np.testing.assert_array_equal(read_stored(row_of(path) | {"frame": 4}), STORED[4])


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"NumberOfFrames": 5}, "bad_element"),
        ({"PerFrameFunctionalGroupsSequence": []}, None),
    ],
)
def test_groups_that_do_not_fit_the_frames_are_refused(
    tmp_path: Path, tags: dict[str, Any], reason: str | None
) -> None:
    row = row_of(enhanced(tmp_path / "x", [None] * FRAMES, **tags))
    if reason is None:
        assert [one["RescaleIntercept"] for one in frame_rows(row)] == [-1024] * FRAMES
        return
    with pytest.raises(RejectError, match=reason):
        frame_rows(row)


def test_an_image_of_several_frames_without_groups_keeps_its_row(tmp_path: Path) -> None:
    path = enhanced(
        tmp_path / "x", [None] * FRAMES, SharedFunctionalGroupsSequence=[],
        PerFrameFunctionalGroupsSequence=[], RescaleSlope=3, RescaleIntercept=1,
    )  # fmt: skip
    rows = frame_rows(row_of(path))
    assert len(rows) == FRAMES
    assert {(row["RescaleSlope"], row["stack_id"]) for row in rows} == {(3, None)}


def test_a_file_of_several_frames_is_no_slice_until_a_frame_is_named(tmp_path: Path) -> None:
    row = row_of(enhanced(tmp_path / "x", [None] * FRAMES))
    with pytest.raises(RejectError, match="wrong_kind: 6 frames"):
        slice_from_row(row)
    with pytest.raises(RejectError, match="frame 6 of 6"):
        read_stored(row | {"frame": 6})


def test_the_real_multi_frame_mr_is_read_frame_by_frame(real_data: Path) -> None:
    path = real_data / "malformed" / "emri_small.dcm"
    rows = frame_rows(row_of(path))
    expected = pydicom.dcmread(path).pixel_array
    assert len(rows) == len(expected) == 10
    for row, frame in zip(rows, expected, strict=True):
        np.testing.assert_array_equal(read_stored(row), frame)


def test_what_tells_frames_apart_comes_from_their_groups(tmp_path: Path) -> None:
    path = enhanced(tmp_path / "x", [1] * FRAMES)
    dataset = pydicom.dcmread(path)
    for k, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.FrameContentSequence[0].TemporalPositionIndex = 1 + k // 3
        frame.FrameContentSequence[0].FrameAcquisitionNumber = 7 + k // 3
        frame.FrameContentSequence[0].FrameAcquisitionDateTime = f"202001011015{k:02d}.5"
        frame.CardiacSynchronizationSequence = [
            item(NominalPercentageOfCardiacPhase=40.0 + k, NominalCardiacTriggerDelayTime=300.0 + k)
        ]
        frame.MRDiffusionSequence = [item(DiffusionBValue=400.0 * k)]
        frame.CTXRayDetailsSequence = [item(KVP=80 + k)]
        frame.CTImageFrameTypeSequence = [item(FrameType=["DERIVED", "PRIMARY", "VOLUME", "MAX"])]
        frame.PixelValueTransformationSequence[0].RescaleType = "Z_EFF" if k == 5 else "HU"
    dataset.save_as(path)
    rows = frame_rows(row_of(path))
    assert [row["TemporalPositionIndex"] for row in rows] == [1, 1, 1, 2, 2, 2]
    assert [row["AcquisitionNumber"] for row in rows] == [7, 7, 7, 8, 8, 8]
    assert [row["acquisition_time_s"] for row in rows] == [36900.5 + k for k in range(6)]
    assert [row["cardiac_phase_percent"] for row in rows] == [40.0 + k for k in range(6)]
    assert [row["TriggerTime"] for row in rows] == [300.0 + k for k in range(6)]
    assert [row["DiffusionBValue"] for row in rows] == [400.0 * k for k in range(6)]
    assert [row["KVP"] for row in rows] == [80.0 + k for k in range(6)]
    assert {row["ImageType"] for row in rows} == {"DERIVED\\PRIMARY\\VOLUME\\MAX"}
    assert [row["RescaleType"] for row in rows] == ["HU"] * 5 + ["Z_EFF"]


@pytest.mark.parametrize("keyword", ["PlanePositionSequence", "FrameContentSequence"])
def test_a_sequence_that_ends_within_its_first_item_is_a_reject_that_names_it(keyword: str) -> None:
    cut = Dataset()
    tag = Tag(keyword)
    cut[tag] = RawDataElement(tag, "SQ", 4, b"\xfe\xff\x00\xe0", 0, False, True)
    with pytest.raises(RejectError, match=rf"{keyword} of a functional group cannot be read"):
        group_columns(cut)
