"""tests/archive/dataset/test_functional_groups.py: one item of functional groups fills the columns
of its frame, and what it cannot be is named."""

import pytest
from pydicom.dataset import Dataset

from wetread.archive.dataset.functional_groups import group_columns
from wetread.archive.rejects import RejectError


def group(**sequences: dict[str, object]) -> Dataset:
    """group(PixelMeasuresSequence={"SliceThickness": 5}): an item with sequences of one item."""
    item = Dataset()
    for name, elements in sequences.items():
        inner = Dataset()
        for keyword, value in elements.items():
            setattr(inner, keyword, value)
        setattr(item, name, [inner])
    return item


def test_every_group_fills_its_columns() -> None:
    columns = group_columns(
        group(
            PlanePositionSequence={"ImagePositionPatient": [1, 2, 3]},
            PlaneOrientationSequence={"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
            PixelMeasuresSequence={"PixelSpacing": [0.5, 0.25], "SliceThickness": 5},
            PixelValueTransformationSequence={
                **{"RescaleSlope": 2, "RescaleIntercept": -1024, "RescaleType": "HU"},
            },
            FrameContentSequence={
                **{"StackID": "1", "TemporalPositionIndex": 3},
                "FrameAcquisitionDateTime": "20200229134501.5",
            },
            CTImageFrameTypeSequence={"FrameType": ["ORIGINAL", "PRIMARY", "AXIAL"]},
            FrameVOILUTSequence={"WindowCenter": [40, 600], "WindowWidth": [80, 2800]},
        )
    )
    assert columns == {
        "position_mm": [1.0, 2.0, 3.0],
        "orientation": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        **{"row_spacing_mm": 0.5, "column_spacing_mm": 0.25, "SliceThickness": 5.0},
        **{"RescaleSlope": 2.0, "RescaleIntercept": -1024.0, "RescaleType": "HU"},
        **{"stack_id": "1", "TemporalPositionIndex": 3},
        "acquisition_time_s": 13 * 3600 + 45 * 60 + 1.5,
        "ImageType": "ORIGINAL\\PRIMARY\\AXIAL",
        **{"WindowCenter": [40.0, 600.0], "WindowWidth": [80.0, 2800.0]},
    }


def test_an_empty_item_fills_nothing() -> None:
    assert group_columns(Dataset()) == {}
    assert group_columns(group(PixelMeasuresSequence={})) == {}


def test_a_spacing_of_zero_is_none() -> None:
    columns = group_columns(group(PixelMeasuresSequence={"PixelSpacing": [0, 0]}))
    assert columns == {"row_spacing_mm": None, "column_spacing_mm": None}


def test_numbers_that_cannot_be_are_refused_with_their_name() -> None:
    with pytest.raises(RejectError, match="ImagePositionPatient of PlanePositionSequence has 2"):
        group_columns(group(PlanePositionSequence={"ImagePositionPatient": [1, 2]}))
    with pytest.raises(RejectError, match="RescaleSlope is 0"):
        group_columns(group(PixelValueTransformationSequence={"RescaleSlope": 0}))
