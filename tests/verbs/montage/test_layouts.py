"""tests/verbs/montage/test_layouts.py: the slices of a layout, and how they are arranged."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wetread.archive.rejects import RejectError
from wetread.inputs.sources import Source, open_source
from wetread.verbs.montage.layouts import LAYOUTS, MontageOptions
from wetread.verbs.montage.layouts import _columns as columns
from wetread.verbs.montage.layouts import _evenly_spaced as evenly_spaced
from wetread.verbs.montage.layouts import _middles as middles

Write = Callable[..., Path]


@pytest.fixture
def source(write_ct: Write) -> Source:
    """One series of 7 slices and one of 3."""
    write_ct(7)
    return open_source(write_ct(3), 1)


def test_numbers_are_spread_evenly_with_both_ends_or_in_the_middles() -> None:
    assert evenly_spaced(7, 3) == [0, 3, 6]
    assert evenly_spaced(3, None) == evenly_spaced(3, 5) == [0, 1, 2]
    assert middles(8, 4) == [1, 3, 5, 7]
    assert middles(2, 9) == [0, 1]


@pytest.mark.parametrize("panels", range(1, 60))
def test_columns_leave_few_places_empty(panels: int) -> None:
    wide = columns(panels)
    rows = -(-panels // wide)
    assert 1 <= wide <= panels + 1
    assert rows * wide - panels < wide
    assert wide <= 3 * rows + 1


def test_a_study_is_the_best_series_in_order(source: Source) -> None:
    layout = LAYOUTS["study"](source, MontageOptions(count=3))
    lines = [request.lines[0] for request in layout.requests]
    assert lines == ["slice 1 of 7, 0.0 mm", "slice 4 of 7, 15.0 mm", "slice 7 of 7, 30.0 mm"]


def test_random_slices_come_once_each_and_follow_the_seed(source: Source) -> None:
    drawn = [LAYOUTS["random"](source, MontageOptions(count=10, seed=seed)) for seed in (1, 1, 2)]
    uids = [[one.rows[0]["SOPInstanceUID"] for one in layout.requests] for layout in drawn]
    assert uids[0] == uids[1] != uids[2]
    assert len(set(uids[0])) == 10


def test_windows_are_a_row_a_slice_with_the_stored_values_first(source: Source) -> None:
    options = MontageOptions(windows=("brain", "bone"), count=2)
    layout = LAYOUTS["windows"](source, options)
    assert layout.columns == 3
    assert [request.values for request in layout.requests] == ["stored", "read", "read"] * 2


def test_what_a_layout_cannot_show_is_refused(source: Source) -> None:
    with pytest.raises(ValueError, match="one window, not 2"):
        LAYOUTS["study"](source, MontageOptions(windows=("brain", "bone")))
    with pytest.raises(ValueError, match="`labels=FILE` and `task=NAME`"):
        LAYOUTS["findings"](source, MontageOptions())
    with pytest.raises(RejectError, match="wrong intercept"):
        LAYOUTS["repair"](source, MontageOptions())
    with pytest.raises(ValueError, match="one window of HU"):
        LAYOUTS["repair"](source, MontageOptions(windows=("metadata",)))
