"""tests/verbs/scroll/test_content.py: slices run as on a workstation, with windows that suit."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.inputs.sources import open_source
from wetread.pages.scroll_page import Overlay
from wetread.study.placement import SlicePlacement
from wetread.study.series import series_slices
from wetread.study.volume import Volume
from wetread.verbs.scroll.content import (
    SUITED,
    first_slice,
    instance_numbers,
    page_content,
    page_facts,
    page_title,
    reversed_slices,
    runs_against,
    series_name,
    slice_row,
    window_presets,
)
from wetread.view.window import WINDOWS


def volume(step: tuple[float, float, float], unit: str | None = "HU") -> Volume:
    """Three slices of 4 x 6 pixels, each by `step` mm in LPS from the one before."""
    origins = np.arange(3)[:, None] * np.array(step)
    place = SlicePlacement(origins, np.array([1, 0, 0, 0, 1, 0.0]), (0.5, 0.4), np.full(3, 2.0))
    hu = np.arange(72, dtype=np.float32).reshape(3, 4, 6)
    uids = ("1.9.0.0", "1.9.0.1", "1.9.0.2")
    return Volume(hu=hu, place=place, sources=uids, issues=(), slice_map=np.arange(3.0), unit=unit)


@pytest.fixture
def rows(write_ct: Callable[..., Path]) -> pl.DataFrame:
    """The rows of three slices of a head, in order."""
    folder = write_ct(3, BodyPartExamined="HEAD", SliceThickness=5, ConvolutionKernel="H31s")
    (series,) = series_slices(open_source(folder, 1).images)
    return series


@pytest.mark.parametrize(
    ("step", "against"),
    [
        ((0, 0, -3), False),  # head to feet
        ((0, 0, 3), True),
        ((3, 0, 0), False),  # right to left
        ((-3, 0, 0), True),
        ((0, 3, 0), False),  # front to back
        ((0, -3, 0), True),
        ((1, -1, 3), True),  # the longest part says it
        ((np.nan, 0, 0), False),
        ((0, 0, 0), False),
    ],
)
def test_slices_run_from_the_head_the_right_or_the_front(
    step: tuple[float, float, float], against: bool
) -> None:
    assert runs_against(volume(step)) is against


def test_reversed_slices_keep_their_places_and_names() -> None:
    before, after = volume((0, 0, 3)), reversed_slices(volume((0, 0, 3)))
    assert np.array_equal(after.hu, before.hu[::-1])
    assert after.sources == before.sources[::-1]
    assert np.array_equal(after.place.origins_mm, before.place.origins_mm[::-1])
    assert np.array_equal(reversed_slices(after).hu, before.hu)
    assert not runs_against(after)


def test_the_first_slice_is_the_one_with_the_largest_masks_else_the_middle() -> None:
    inside = np.zeros((3, 4, 6), bool)
    assert first_slice(volume((0, 0, 3)), [Overlay("none", inside)]) == 1
    inside[2, :2], inside[0, 0, 0] = True, True
    assert first_slice(volume((0, 0, 3)), [Overlay("lung", inside)]) == 2


def test_a_page_turns_slices_and_masks_together(rows: pl.DataFrame) -> None:
    inside = np.zeros((3, 4, 6), bool)
    inside[0] = True
    content = page_content(volume((0, 0, 3)), rows, [Overlay("lung", inside)], None)
    assert content.volume.sources == ("1.9.0.2", "1.9.0.1", "1.9.0.0")
    assert content.overlays[0].inside[2].all()
    assert content.start == 2
    assert content.presets[content.preset].name == "file"


def test_windows_of_the_part_come_first_and_every_window_is_offered(rows: pl.DataFrame) -> None:
    row = rows.row(0, named=True)
    presets = [preset.name for preset in window_presets(volume((0, 0, 3)), row)]
    assert presets[0] == "file"
    assert presets[1 : 1 + len(SUITED["HEAD"])] == list(SUITED["HEAD"])
    assert set(presets[1:]) == set(WINDOWS) - {"display"}
    gray = window_presets(volume((0, 0, 3), None), row)
    assert [preset.name for preset in gray] == ["file", "whole range"]


def test_titles_and_facts_are_of_the_header_without_its_free_text(rows: pl.DataFrame) -> None:
    row = rows.row(0, named=True)
    assert page_title(row, 1) == "CT head, 1 slice"
    assert series_name(rows) == "CT head, 3 slices, 5 mm, H31s"
    facts = dict(page_facts(volume((0, 0, 3)), row))
    assert (facts["Matrix"], facts["Distance"], facts["Kernel"]) == ("6 × 4", "3 mm", "H31s")
    assert "secret" not in " ".join(facts.values()).lower()


def test_a_slice_is_found_by_its_uid_and_its_number_stays_with_it(rows: pl.DataFrame) -> None:
    assert slice_row(rows, "1.9.0.2")["SOPInstanceUID"] == "1.9.0.2"
    assert slice_row(rows, "unknown")["SOPInstanceUID"] == "1.9.0.0"
    numbered = rows.with_columns(InstanceNumber=pl.Series([7, 8, None], dtype=pl.Int64))
    assert instance_numbers(volume((0, 0, 3)), numbered) == (7, 8, None)
