"""tests/study/test_header_content.py: body part and kind of picture by the header."""

import numpy as np
import pytest

from wetread.study.header_content import is_axial, is_localizer, names_body_part, spacing_mm


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ORIGINAL\\PRIMARY\\LOCALIZER", True),
        ("ORIGINAL\\PRIMARY\\ localizer ", True),
        ("DERIVED\\SECONDARY\\REF_SURVIEW", True),
        ("REF_SURVIEW", True),
        ("ORIGINAL\\PRIMARY\\AXIAL", False),
        ("LOCALIZER\\PRIMARY", False),
        ("", False),
        (None, False),
    ],
)
def test_a_localizer_is_named_in_the_third_value_or_by_its_maker(
    kind: str | None, expected: bool
) -> None:
    assert is_localizer({"ImageType": kind}) is expected


@pytest.mark.parametrize("degrees", [0, 20, 44])
def test_a_slice_is_axial_up_to_45_degrees(degrees: float) -> None:
    for tilt, expected in ((degrees, True), (90 - degrees, False)):
        cosine, sine = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
        assert is_axial({"orientation": [1, 0, 0, 0, cosine, sine]}) is expected


@pytest.mark.parametrize(
    "orientation", [None, [1, 0, 0], [1, 0, 0, 1, 0, 0], [0] * 6, [np.nan] * 6]
)
def test_no_orientation_is_neither(orientation: list[float] | None) -> None:
    assert is_axial({"orientation": orientation}) is None


def test_most_rows_that_name_a_part_decide() -> None:
    def parts(*names: str | None) -> list[dict[str, str | None]]:
        return [{"BodyPartExamined": name} for name in names]

    words = ("HEAD", "BRAIN")
    assert names_body_part(parts("head", "BRAIN STEM", "CHEST", None, None), words) is True
    assert names_body_part(parts("CHEST", "HEAD"), words) is False
    assert names_body_part(parts(None, ""), words) is None


@pytest.mark.parametrize("spacing", [(None, 0.5), (0.0, 0.5), (0.5, -1.0), (0.5, 30.0)])
def test_a_spacing_that_no_slice_has_is_the_usual_one(
    spacing: tuple[float | None, float],
) -> None:
    row = dict(zip(("row_spacing_mm", "column_spacing_mm"), spacing, strict=True))
    assert spacing_mm(row, 0.7) == (0.7, 0.7)
    assert spacing_mm({"row_spacing_mm": 0.5, "column_spacing_mm": 0.25}, 0.7) == (0.5, 0.25)
