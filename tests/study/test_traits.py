"""tests/study/test_traits.py: traits of a series, by headers whose geometry is known."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.study.header_content import SECONDARY_CAPTURE
from wetread.study.traits import series_traits


def rows(count: int = 4, **changes: Any) -> pl.DataFrame:
    """Axial CT slices of 0.5 mm pixels, 5 mm apart."""
    first = {
        "Modality": "CT", "BodyPartExamined": "head ", "row_spacing_mm": 0.5,
        "column_spacing_mm": 0.25, "SliceThickness": 4.0, "orientation": [1.0, 0, 0, 0, 1, 0],
    } | changes  # fmt: skip
    each = [
        {"SOPInstanceUID": f"1.{k}", "position_mm": [0.0, 0.0, 5.0 * k], **first}
        for k in range(count)
    ]
    return pl.DataFrame(each, schema=INDEX_SCHEMA)


def identity(text: str) -> str:
    return text


def test_traits_of_a_plain_series() -> None:
    traits = series_traits(rows(), [[0, 400, 100, 500]] * 4, identity)
    assert dict(traits.numbers) == {
        "slices": 4, "pixel_mm": 0.5, "thickness_mm": 4, "distance_mm": 5, "lean_degrees": 0,
        "turn_degrees": 0, "height_mm": 200, "width_mm": 100,
    }  # fmt: skip
    assert dict(traits.words) == {"modality": "CT", "body_part": "HEAD"}


@pytest.mark.parametrize("degrees", [10, 45, 90])
def test_slices_lean_by_the_angle_of_their_normal(degrees: float) -> None:
    angle = np.radians(degrees)
    orientation = [1.0, 0, 0, 0, np.cos(angle), np.sin(angle)]
    traits = series_traits(rows(orientation=orientation), [], identity)
    assert traits.numbers["lean_degrees"] == pytest.approx(degrees, abs=1e-6)


def test_a_turn_in_the_plane_is_an_angle_of_its_own() -> None:
    traits = series_traits(rows(orientation=[0.0, 1, 0, -1, 0, 0]), [], identity)
    assert traits.numbers["turn_degrees"] == pytest.approx(90)
    assert traits.numbers["lean_degrees"] == pytest.approx(0, abs=1e-6)


def test_what_headers_do_not_say_is_absent() -> None:
    silent = rows(1, orientation=None, BodyPartExamined=None, SliceThickness=None)
    traits = series_traits(silent.with_columns(row_spacing_mm=None), [[0, 4, 0, 4]], identity)
    assert dict(traits.numbers) == {"slices": 1}
    assert dict(traits.words) == {"modality": "CT"}


def test_the_pixels_of_a_secondary_capture_have_no_size() -> None:
    traits = series_traits(rows(1, SOPClassUID=SECONDARY_CAPTURE), [[0, 4, 0, 4]], identity)
    assert not {"pixel_mm", "height_mm", "width_mm"} & set(traits.numbers)
