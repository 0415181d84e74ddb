"""tests/study/test_voi.py: what a screen shows agrees with pydicom, highdicom and the standard's
own formulas."""

from fractions import Fraction
from math import exp, isclose

import highdicom
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_voi, apply_windowing

from wetread.archive.dataset.luts import VOI_FUNCTIONS, LookupTable, VoiWindow
from wetread.study.voi import apply_table, apply_window, present

CENTERS = st.one_of(
    st.integers(-3000, 5000).map(float),
    st.floats(-3000, 5000, allow_nan=False).map(lambda x: round(x, 3)),
)
ODD_WIDTHS = [1.001, 1.5, 2.0, 3.0, 79.0, 80.0, 81.0, 400.0, 401.0, 2800.0, 65535.0]
WIDTHS = st.one_of(st.sampled_from(ODD_WIDTHS), st.integers(2, 70000).map(float),
                   st.floats(1.001, 70000).map(lambda x: round(x, 3)))  # fmt: skip
TINY = [0.001, 0.01, 0.5, 0.999]
VALUES = st.lists(st.integers(-4096, 65535), min_size=1, max_size=30)


def near(values: list[int], center: float, width: float) -> np.ndarray:
    """The values, and those about the window's middle and ends."""
    ends = [center, center - 0.5, center - width / 2, center + width / 2]
    close = [round(end) + step for end in ends for step in (-1, 0, 1)]
    return np.array([*values, *close], np.int64)


def by_pydicom(values: np.ndarray, window: VoiWindow) -> np.ndarray:
    """pydicom's windowing onto 0..65535."""
    dataset = Dataset()
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "MONOCHROME2", 0
    dataset.BitsStored = 16
    dataset.WindowCenter, dataset.WindowWidth = str(window.center), str(window.width)
    dataset.VOILUTFunction = window.function
    with np.errstate(over="ignore"):
        return np.asarray(apply_windowing(values, dataset))


def by_highdicom(values: np.ndarray, window: VoiWindow) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.asarray(
            highdicom.pixels.apply_voi_window(
                values, window.center, window.width, window.function, (0.0, 1.0)
            )
        )


def by_the_standard(value: int, window: VoiWindow) -> float:
    """PS3.3 C.11.2.1.2 and C.11.2.1.3 in whole fractions."""
    x, c, w = Fraction(value), Fraction(window.center), Fraction(window.width)
    if window.function == "SIGMOID":
        power = float(-4 * (x - c) / w)
        return 0.0 if power > 700 else 1 / (1 + exp(power))
    if window.function == "LINEAR":
        c, w = c - Fraction(1, 2), w - 1
    if x <= c - w / 2:
        return 0.0
    return 1.0 if x > c + w / 2 else float((x - c) / w + Fraction(1, 2))


@pytest.mark.parametrize("function", VOI_FUNCTIONS)
@given(values=VALUES, center=CENTERS, width=WIDTHS)
def test_a_window_agrees_with_pydicom_highdicom_and_the_standard(
    function: str, values: list[int], center: float, width: float
) -> None:
    window = VoiWindow(center, width, function)
    stored = near(values, center, width)
    ours = apply_window(stored, window)
    assert ours.dtype == np.float64
    np.testing.assert_allclose(ours, by_highdicom(stored, window), rtol=0, atol=1e-9)
    theirs = by_pydicom(stored, window)
    np.testing.assert_allclose(ours, theirs / 65535, rtol=0, atol=1e-9)
    np.testing.assert_allclose(apply_window(stored, window, 0, 65535), theirs, rtol=1e-9, atol=1e-9)
    exact = [by_the_standard(int(value), window) for value in stored]
    np.testing.assert_allclose(ours, exact, rtol=0, atol=1e-9)


@pytest.mark.parametrize("function", ["LINEAR_EXACT", "SIGMOID"])
@given(values=VALUES, center=CENTERS, width=st.sampled_from(TINY))
def test_a_width_below_one_is_legal_where_the_standard_says_so(
    function: str, values: list[int], center: float, width: float
) -> None:
    window = VoiWindow(center, width, function)
    stored = near(values, center, width)
    ours = apply_window(stored, window)
    np.testing.assert_allclose(ours, by_pydicom(stored, window) / 65535, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours, by_highdicom(stored, window), rtol=0, atol=1e-9)


@given(values=VALUES, center=CENTERS)
def test_a_width_of_one_is_a_step(values: list[int], center: float) -> None:
    """highdicom divides by zero here; pydicom and the standard make a step."""
    window = VoiWindow(center, 1.0)
    stored = near(values, center, 1.0)
    ours = apply_window(stored, window)
    assert set(ours.tolist()) <= {0.0, 1.0}
    assert ours.tolist() == [float(value > center - 0.5) for value in stored]
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(ours, by_pydicom(stored, window) / 65535)


@pytest.mark.parametrize(
    "window",
    [
        VoiWindow(40, 0.5),
        VoiWindow(40, 0),
        VoiWindow(40, 0, "LINEAR_EXACT"),
        VoiWindow(40, -1, "SIGMOID"),
        VoiWindow(float("nan"), 80),
        VoiWindow(40, 80, "CUBIC"),
    ],
)
def test_a_window_that_the_standard_does_not_have_is_refused(window: VoiWindow) -> None:
    with pytest.raises(ValueError, match=r"Window|function"):
        apply_window(np.zeros(3), window)


@given(
    values=st.lists(st.integers(-2000, 70000), min_size=1, max_size=30),
    first=st.integers(-1500, 3000),
    bits=st.sampled_from([8, 10, 12, 16]),
    count=st.integers(2, 300),
    seed=st.integers(0, 99),
)
def test_a_table_agrees_with_pydicom_and_highdicom(
    values: list[int], first: int, bits: int, count: int, seed: int
) -> None:
    entries = np.random.default_rng(seed).integers(0, 1 << bits, count)
    entries = entries.astype(np.uint8 if bits == 8 else np.uint16)
    stored = np.array(values, np.int32)
    found = LookupTable(first, entries.astype(np.uint16), bits).apply(stored)
    np.testing.assert_array_equal(found, highdicom.pixels.apply_lut(stored, entries, first))
    item, dataset = Dataset(), Dataset()
    item.LUTDescriptor, item.LUTData = [count, first, bits], [int(one) for one in entries]
    dataset.VOILUTSequence = [item]
    dataset.file_meta = None  # type: ignore[assignment]
    # pydicom counts entries in the entries' own bits, which wraps: it agrees where it does not
    kept = stored.astype(np.int64) - first < (256 if bits == 8 else 65536)
    np.testing.assert_array_equal(found[kept], apply_voi(stored, dataset)[kept])


def test_a_table_of_hu_with_fractions_takes_the_entry_below() -> None:
    table = LookupTable(-10, np.array([0, 100, 255], np.uint16), 8)
    shown = apply_table(np.array([-11.0, -10.0, -9.5, -9.0, -8.0, 7.0]), table)
    assert shown.tolist() == [0, 0, 0, 100 / 255, 1, 1]


def test_monochrome1_is_inverted_after_the_window() -> None:
    values = np.array([[0.0, 50.0, 100.0]])
    window = VoiWindow(50, 100, "LINEAR_EXACT")
    assert present(values, window, "MONOCHROME2").tolist() == [[0, 0.5, 1]]
    assert present(values, window, "MONOCHROME1").tolist() == [[1, 0.5, 0]]
    narrow = VoiWindow(20, 10)
    np.testing.assert_array_equal(
        present(values, narrow, "MONOCHROME1"), 1 - present(values, narrow, "MONOCHROME2")
    )


def test_without_a_window_the_full_range_is_shown() -> None:
    shown = present(np.array([[-1000.0, 0.0, 1000.0]]), None, "MONOCHROME2")
    assert shown.tolist() == [[0, 0.5, 1]]
    assert present(np.full((2, 2), 7.0), None, "MONOCHROME2").tolist() == [[0.5, 0.5]] * 2
    assert isclose(present(np.array([[0.0, 1.0]]), None, None)[0, 1], 1)
