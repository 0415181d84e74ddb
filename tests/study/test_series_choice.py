"""tests/study/test_series_choice.py: the series to read is chosen by what headers say, and the
reasons are
told."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.study.series import series_slices
from wetread.study.series_choice import (
    ANY_SERIES,
    SeriesPreference,
    is_sharp,
    rank_series,
    score_series,
)

WriteSeries = Callable[..., pl.DataFrame]
Stack = Callable[..., np.ndarray]
HEAD = SeriesPreference(body_parts=("HEAD",), least_slices=5, thickness_mm=(2.5, 10), sharp=False)


@pytest.mark.parametrize(
    ("tags", "reasons"),
    [
        ({}, ()),
        ({"BodyPartExamined": "HEAD", "ConvolutionKernel": "H31s"}, ()),
        ({"BodyPartExamined": "BRAINHEAD"}, ()),
        ({"BodyPartExamined": "CHEST"}, ("-50 body part CHEST",)),
        ({"ConvolutionKernel": "BONEPLUS"}, ("-15 kernel BONEPLUS is sharp",)),
        ({"SliceThickness": 0.6}, ("-10 slices 0.6 mm thick, 2.5 to 10 wanted",)),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, ("-100 localizer",)),
        (
            {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]},
            ("-100 dose report or a page of text", "-20 derived", "-20 made of other images"),
        ),
        (
            {"ImageType": ["DERIVED", "SECONDARY", "AXIAL", "CT_SOM5 PROT"]},
            ("-100 dose report or a page of text", "-20 derived", "-20 made of other images"),
        ),
        (
            {"ImageType": ["DERIVED", "PRIMARY", "MPR"]},
            ("-20 derived", "-10 reformatted (MPR)"),
        ),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, ("-60 secondary capture",)),
    ],
)
def test_every_cost_has_its_reason(
    write_series: WriteSeries, stack: Stack, tags: dict[str, Any], reasons: tuple[str, ...]
) -> None:
    thickness = tags.get("SliceThickness", 5)
    rows = write_series(stack(6, (0.0, 0.0, thickness)), tags)
    score = score_series(rows, HEAD)
    assert score.reasons == reasons
    assert score.score == -sum(float(reason.split()[0][1:]) for reason in reasons)


def test_few_slices_and_a_broken_geometry_cost(write_series: WriteSeries, stack: Stack) -> None:
    rows = write_series(stack(6)[[0, 1, 2, 4]])
    assert score_series(rows, HEAD).reasons == ("-40 4 slices, at least 5 wanted", "-5 gap")
    assert score_series(rows, ANY_SERIES).reasons == ("-5 gap",)


def test_the_best_comes_first_and_ties_go_to_more_slices_then_the_name(
    write_series: WriteSeries, stack: Stack
) -> None:
    kinds = [("1.2", 5, "H31s"), ("1.1", 5, "H31s"), ("1.3", 7, "H60s"), ("1.4", 6, "H31s")]
    each = [
        {"SeriesInstanceUID": name, "ConvolutionKernel": kernel}
        for name, count, kernel in kinds
        for _ in range(count)
    ]
    positions = np.concatenate([stack(count) for _, count, _ in kinds])
    series = series_slices(write_series(positions, each=each))
    assert [one.series_uid for one in rank_series(series, HEAD)] == ["1.4", "1.1", "1.2", "1.3"]
    assert [one.series_uid for one in rank_series(series, ANY_SERIES)] == [
        "1.3",
        "1.4",
        "1.1",
        "1.2",
    ]


@pytest.mark.parametrize(
    ("kernel", "sharp"),
    [
        ("H31s", False),
        ("Br40d", False),
        ("B60f", True),
        ("Hr64\\3", True),
        ("FC21", False),
        ("FC30", True),
        ("FC81", True),
        ("STANDARD", False),
        ("SOFT", False),
        ("BONE", True),
        ("EDGE", True),
        ("UB", False),
        ("YD", True),
        ("B", False),
    ],
)
def test_makers_kernels_are_known_as_sharp_or_soft(kernel: str, sharp: bool) -> None:
    assert is_sharp(kernel) == sharp


def test_electron_density_stands_behind_hounsfield_units(
    write_series: WriteSeries, stack: Stack
) -> None:
    rows = write_series(stack(4))
    density = rows.with_columns(RescaleType=pl.lit("ED"), SeriesInstanceUID=pl.lit("1.2.0"))
    best, other = rank_series([density, rows], ANY_SERIES)
    assert (best.series_uid, best.score, other.score) == ("1.2.5", 0, -60)
    assert other.reasons == ("-60 values that are no Hounsfield units",)
