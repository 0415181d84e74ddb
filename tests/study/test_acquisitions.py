"""tests/study/test_acquisitions.py: phases that lie in one series become volumes of their own,
each called by what tells it apart, and nobody's time of day is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from wetread.archive.index.index import build_index
from wetread.study.issues import geometry_issues
from wetread.study.split import SeriesParts, split_series
from wetread.study.stack import CHOICES
from wetread.study.volume import volumes_from_rows

WriteSeries = Callable[..., pl.DataFrame]
Stack = Callable[..., np.ndarray]


def numbers(rows: pl.DataFrame) -> list[int]:
    return [int(uid.rsplit(".", 1)[1]) for uid in rows["SOPInstanceUID"]]


def stacks(parts: SeriesParts) -> list[list[int]]:
    return [numbers(stack) for stack in parts.stacks]


def interleaved(count: int, offset: float, passes: int = 3) -> np.ndarray:
    """(count * passes, 3): passes of `count` slices 5 mm apart, each `offset` mm further up."""
    one = np.array([[-10.0, -20.0, 30.0 + 5 * k] for k in range(count)])
    return np.concatenate([one + np.array([0, 0, offset * k]) for k in range(passes)])


def test_three_passes_of_5_mm_that_lie_075_mm_apart_are_three_volumes(
    write_series: WriteSeries,
) -> None:
    """Told apart by AcquisitionNumber and time; else one uneven stack in which phases alternate."""
    each = [
        {"AcquisitionNumber": 1 + k // 6, "AcquisitionTime": f"1015{k // 6:02d}"} for k in range(18)
    ]
    rows = write_series(interleaved(6, 0.75), each=each)
    parts = split_series(rows)
    assert stacks(parts) == [[*range(6)], [*range(6, 12)], [*range(12, 18)]]
    assert parts.split_by == ("AcquisitionNumber",)
    assert parts.names == ("acquisition 1", "acquisition 2", "acquisition 3")
    volumes = CHOICES["refuse"](rows)
    assert [volume.acquisition for volume in volumes] == list(parts.names)
    for number, volume in enumerate(volumes):
        np.testing.assert_allclose(volume.affine[:3, 0], [0, 0, 5], atol=1e-9)
        assert volume.positions_mm[0] == pytest.approx(30 + 0.75 * number)
    (issue,) = [one for one in geometry_issues(rows) if one.name == "several_acquisitions"]
    assert issue.detail == (
        "3 stacks told apart by AcquisitionNumber: 6 + 6 + 6 slices: "
        "acquisition 1, acquisition 2, acquisition 3"
    )


def test_passes_told_apart_by_time_alone_are_called_by_an_order_number(
    write_series: WriteSeries,
) -> None:
    """A second a slice, so that no two have one time; the table runs back between the passes."""
    each = [{"AcquisitionTime": f"1015{k:02d}"} for k in range(18)]
    rows = write_series(interleaved(6, 0.75), each=each)
    parts = split_series(rows)
    assert stacks(parts) == [[*range(6)], [*range(6, 12)], [*range(12, 18)]]
    assert parts.names == ("time 1", "time 2", "time 3")
    assert "1015" not in "".join(issue.detail for issue in geometry_issues(rows))


@pytest.mark.parametrize(
    ("keyword", "values", "told", "names"),
    [
        ("TriggerTime", (0, 412.5), "TriggerTime", ("trigger time 0 ms", "trigger time 412.5 ms")),
        (
            "TemporalPositionIdentifier", (1, 2), "TemporalPositionIdentifier",
            ("temporal position 1", "temporal position 2"),
        ),
        (
            "NominalPercentageOfCardiacPhase", (40.0, 75.0), "cardiac_phase_percent",
            ("phase 40 %", "phase 75 %"),
        ),
        ("DiffusionBValue", (0.0, 800.0), "DiffusionBValue", ("b 0", "b 800")),
        ("EchoTime", (10.5, 80), "EchoTime", ("echo time 10.5 ms", "echo time 80 ms")),
        ("EchoNumbers", (1, 2), "EchoNumbers", ("echo 1", "echo 2")),
        ("AcquisitionTime", ("101500", "101600.5"), "acquisition_time_s", ("time 1", "time 2")),
        (
            "AcquisitionDateTime", ("20200102101500.25", "20200102101600+0100"),
            "acquisition_time_s", ("time 1", "time 2"),
        ),
        (
            "TemporalPositionIndex", (1, 2), "TemporalPositionIndex",
            ("temporal position 1", "temporal position 2"),
        ),
        ("KVP", (80, 140), "KVP", ("80 kV", "140 kV")),
        (
            "SeriesDescription", ("Arterial SMITH", "Venous SMITH"), "SeriesDescription",
            ("description 1", "description 2"),
        ),
        (
            "ImageType", (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"]), "ImageType",
            ("image type ORIGINAL\\PRIMARY\\M", "image type ORIGINAL\\PRIMARY\\P"),
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("offset", [0.0, 0.75])
def test_what_tells_phases_apart_names_them(
    write_series: WriteSeries, keyword: str, values: tuple[Any, Any], told: str,
    names: tuple[str, str], offset: float,
) -> None:  # fmt: skip
    each = [{keyword: values[k // 6]} for k in range(12)]
    parts = split_series(write_series(interleaved(6, offset, 2), each=each))
    assert stacks(parts) == [[*range(6)], [*range(6, 12)]]
    assert (parts.split_by, parts.names) == ((told,), names)


def test_triggers_that_jitter_from_position_to_position_are_ranked(
    write_series: WriteSeries, stack: Stack
) -> None:
    """Cine by position: all phases of one place, then the next; no two triggers are alike."""
    positions = np.repeat(stack(5), 3, axis=0)
    each = [{"TriggerTime": 30 * (k % 3) + k // 3} for k in range(15)]
    parts = split_series(write_series(positions, each=each))
    assert stacks(parts) == [[0, 3, 6, 9, 12], [1, 4, 7, 10, 13], [2, 5, 8, 11, 14]]
    assert parts.names == ("trigger 1", "trigger 2", "trigger 3")


def test_phases_of_each_position_in_turn_are_told_apart_by_time(
    write_series: WriteSeries, stack: Stack
) -> None:
    positions = np.repeat(stack(4), 2, axis=0)
    each = [{"AcquisitionTime": f"1015{k:02d}"} for k in range(8)]
    parts = split_series(write_series(positions, each=each))
    assert stacks(parts) == [[0, 2, 4, 6], [1, 3, 5, 7]]


def test_b_values_of_two_echoes_need_both_columns(write_series: WriteSeries, stack: Stack) -> None:
    each = [
        {"DiffusionBValue": (0.0, 800.0)[k // 4 % 2], "EchoTime": (60, 90)[k // 8]}
        for k in range(16)
    ]
    parts = split_series(write_series(np.concatenate([stack(4)] * 4), each=each))
    assert parts.split_by == ("DiffusionBValue", "EchoTime")
    assert parts.names == (
        "b 0, echo time 60 ms", "b 0, echo time 90 ms", "b 800, echo time 60 ms",
        "b 800, echo time 90 ms",
    )  # fmt: skip
    assert stacks(parts) == [[0, 1, 2, 3], [8, 9, 10, 11], [4, 5, 6, 7], [12, 13, 14, 15]]


def test_two_energies_at_every_other_position_are_two_volumes(
    write_series: WriteSeries, stack: Stack
) -> None:
    """All positions together are even: 80 and 140 kV are other pictures all the same."""
    each = [{"KVP": (80, 140)[k % 2]} for k in range(12)]
    parts = split_series(write_series(stack(12), each=each))
    assert stacks(parts) == [[0, 2, 4, 6, 8, 10], [1, 3, 5, 7, 9, 11]]


def test_a_pass_that_takes_every_other_slice_stays_one_stack(
    write_series: WriteSeries, stack: Stack
) -> None:
    each = [{"AcquisitionNumber": 1 + k % 2} for k in range(12)]
    parts = split_series(write_series(stack(12), each=each))
    assert (stacks(parts), parts.split_by, parts.names) == ([[*range(12)]], (), ("",))


def test_a_head_of_two_distances_with_a_number_each_stays_one_stack(
    write_series: WriteSeries,
) -> None:
    """5 mm through the base, then 10 mm: one body part in two passes, not two phases of it."""
    along = [*range(0, 30, 5), *range(35, 90, 10)]
    each = [{"AcquisitionNumber": 1 + (z >= 35)} for z in along]
    parts = split_series(write_series(np.array([[0.0, 0.0, z] for z in along]), each=each))
    assert (len(parts.stacks), parts.split_by) == (1, ())


def test_a_missing_slice_does_not_hide_that_there_are_two_phases(
    write_series: WriteSeries,
) -> None:
    positions = np.delete(interleaved(7, 0.75, 2), 3, axis=0)
    each = [{"AcquisitionNumber": 1 + (k >= 6)} for k in range(13)]
    rows = write_series(positions, each=each)
    assert stacks(split_series(rows)) == [[*range(6, 13)], [*range(6)]]
    issues = [[issue.name for issue in volume.issues] for volume in volumes_from_rows(rows)]
    assert ["gap" in names for names in issues] == [False, True]


def test_where_nothing_tells_them_apart_the_position_is_twice(
    write_series: WriteSeries, stack: Stack
) -> None:
    rows = write_series(np.concatenate([stack(5), stack(5)]))
    assert len(split_series(rows).stacks) == 1
    assert "duplicate_position" in {issue.name for issue in geometry_issues(rows)}


def test_words_that_a_screen_obeys_are_told_as_an_order_number(
    write_series: WriteSeries, stack: Stack
) -> None:
    each = [{"ConvolutionKernel": ("B30", "\x9b2J")[k // 4]} for k in range(8)]
    parts = split_series(write_series(np.concatenate([stack(4), stack(4)]), each=each))
    assert len(parts.stacks) == 2
    assert "".join(parts.names).isprintable()


@pytest.mark.parametrize(
    ("group", "keyword", "values", "names"),
    [
        (
            "CardiacSynchronizationSequence", "NominalPercentageOfCardiacPhase", (40.0, 75.0),
            ("phase 40 %", "phase 75 %"),
        ),
        ("MRDiffusionSequence", "DiffusionBValue", (0.0, 800.0), ("b 0", "b 800")),
        ("FrameContentSequence", "TemporalPositionIndex", (1, 2), None),
        (
            "FrameContentSequence", "FrameAcquisitionDateTime",
            ("20200101101500", "20200101101600"), ("time 1", "time 2"),
        ),
        ("MREchoSequence", "EffectiveEchoTime", (10.5, 80.0), None),
        ("CTXRayDetailsSequence", "KVP", (80.0, 140.0), ("80 kV", "140 kV")),
    ],
)  # fmt: skip
def test_phases_of_an_enhanced_object_are_told_apart_by_its_groups(
    tmp_path: Path, group: str, keyword: str, values: tuple[Any, Any],
    names: tuple[str, str] | None,
) -> None:  # fmt: skip
    """Eight frames: two phases at each of four positions, one file."""

    def item(**tags: Any) -> Dataset:
        found = Dataset()
        for name, value in tags.items():
            setattr(found, name, value)
        return found

    frames = []
    for k in range(8):
        frame = item(
            PlanePositionSequence=[item(ImagePositionPatient=[0, 0, 2.5 * (k // 2)])],
            FrameContentSequence=[item(StackID="1")],
        )
        held = frame.get(group)
        if held is None:
            setattr(frame, group, [item()])
            held = frame[group].value
        setattr(held[0], keyword, values[k % 2])
        frames.append(frame)
    pixels = np.arange(8, dtype=np.int16)[:, None, None] + np.full((8, 4, 4), 1024, np.int16)
    dataset = item(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1", SOPInstanceUID="1.2.3", Modality="CT",
        StudyInstanceUID="1.2.4", SeriesInstanceUID="1.2.5", SamplesPerPixel=1, Rows=4, Columns=4,
        InstanceNumber=1,
        PhotometricInterpretation="MONOCHROME2", BitsAllocated=16, BitsStored=16, HighBit=15,
        PixelRepresentation=1, NumberOfFrames=8, PixelData=pixels.tobytes(),
        SharedFunctionalGroupsSequence=[
            item(
                PixelMeasuresSequence=[item(PixelSpacing=[1, 1], SliceThickness=2.5)],
                PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
                PixelValueTransformationSequence=[
                    item(RescaleIntercept=-1024, RescaleSlope=1, RescaleType="HU")
                ],
            )
        ],
        PerFrameFunctionalGroupsSequence=frames,
    )  # fmt: skip
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(tmp_path / "x.dcm", enforce_file_format=True)
    rows = build_index([tmp_path / "x.dcm"], tmp_path / "i.parquet", workers=1).images
    volumes = volumes_from_rows(rows)
    assert [volume.hu[:, 0, 0].tolist() for volume in volumes] == [[0, 2, 4, 6], [1, 3, 5, 7]]
    told = {issue.name for volume in volumes for issue in volume.issues}
    assert "order_disagrees" not in told  # the object's one number says nothing of its frames
    if names is not None:
        assert tuple(volume.acquisition for volume in volumes) == names
