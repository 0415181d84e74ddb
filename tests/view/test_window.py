"""tests/view/test_window.py: the windows against DICOM's formulas and values worked out by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wetread.archive.dataset import luts
from wetread.study import voi
from wetread.view.window import (
    BONE,
    BRAIN,
    CURVES,
    LUNG,
    MEDIASTINUM,
    PULMONARY,
    SOFT_HEAD,
    STROKE,
    SUBDURAL,
    TEMPORAL_BONE,
    WINDOWS,
    Window,
    apply_window,
    as_uint8,
    find_window,
    hu_to_gray,
    with_curve,
)

HU = (-1000, 0, 40, 80, 100, 600)
FOUR = ("linear_exact", "linear", "sigmoid", "sigmoid_eps")
BY_HAND = {  # of FOUR, at HU; DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3, and the steeper sigmoid
    "40/80": "0/0/.0000/.0000 0/0/.1192/.0039 .5/.5063/.5/.5 1/1/.8808/.9961 1/1/.9526/.9998 "
    "1/1/1/1",
    "80/200": "0/0/.0000/.0000 .1/.1005/.1680/.0118 .3/.3015/.3100/.0984 .5/.5025/.5/.5 "
    ".6/.6030/.5987/.7517 1/1/1/1",
    "600/2000": "0/0/.0392/.0001 .2/.2001/.2315/.0348 .22/.2201/.2460/.0431 "
    ".24/.2401/.2611/.0532 .25/.2501/.2689/.0590 .5/.5003/.5/.5",
    "40/380": "0/0/.0000/.0000 .3947/.3958/.3963/.2376 .5/.5013/.5/.5 .6053/.6069/.6037/.7624 "
    ".6579/.6596/.6528/.8518 1/1/.9973/1",
    "-600/1500": ".2333/.2335/.2560/.0496 .9/.9006/.8320/.9882 .9267/.9273/.8464/.9912 "
    ".9533/.9540/.8598/.9934 .9667/.9673/.8661/.9943 1/1/.9608/.9999",
    "100/700": "0/0/.0019/.0000 .3571/.3577/.3609/.1705 .4143/.4149/.4151/.2790 "
    ".4714/.4721/.4715/.4215 .5/.5007/.5/.5 1/1/.9457/.9996",
    "40/400": "0/0/.0000/.0000 .4/.4010/.4013/.2483 .5/.5013/.5/.5 .6/.6015/.5987/.7517 "
    ".65/.6516/.6457/.8404 1/1/.9963/1",
}

# On a grid of quarters nothing of a window's arithmetic is rounded before its division.
centers = st.integers(-8000, 8000).map(lambda quarters: quarters / 4)
widths = st.integers(2, 8000).map(lambda halves: halves / 2)
values = st.lists(st.integers(-16000, 16000).map(lambda n: n / 4), min_size=2, max_size=40)
windows = st.builds(Window, centers, widths, st.sampled_from(sorted(CURVES)))


def gray(window: Window, *hu: float) -> list[float]:
    return apply_window(np.array(hu), window).tolist()


@pytest.mark.parametrize("curve", FOUR)
@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_a_curve_gives_the_values_worked_out_by_hand(name: str, curve: str) -> None:
    cells = [cell.split("/") for cell in BY_HAND[name].split()]
    by_hand = [float(cell[FOUR.index(curve)]) for cell in cells]
    window = find_window(f"{name}/{curve}")
    np.testing.assert_allclose(apply_window(np.array(HU), window), by_hand, rtol=0, atol=5.1e-5)


def test_linear_is_white_one_hu_before_linear_exact() -> None:
    linear, exact = Window(40, 80, "linear"), BRAIN
    assert (gray(linear, 78.5, 79), gray(exact, 79, 80)) == (
        [pytest.approx(78.5 / 79, abs=1e-6), 1.0],
        [pytest.approx(79 / 80, abs=1e-6), 1.0],
    )
    assert (gray(linear, 0, 1), gray(exact, 0, 1)) == (
        [0.0, pytest.approx(1 / 79)], [0.0, pytest.approx(1 / 80)],
    )  # fmt: skip


def test_the_exclusive_curve_falls_to_black_above_its_window() -> None:
    brain, subdural = with_curve((BRAIN, SUBDURAL), "exclusive")
    assert gray(brain, 0, 40, 80, 81, 3000) == [0, 0.5, 1, 0, 0]
    assert gray(subdural, 180, 181) == [1, 0]
    assert gray(brain, float(np.nextafter(np.float32(80), np.float32(81)))) == [0]


@pytest.mark.parametrize("window", [BRAIN, SUBDURAL, BONE, LUNG, PULMONARY])
def test_the_steeper_sigmoid_is_one_gray_from_each_end_of_its_window(window: Window) -> None:
    steep = with_curve([window], "sigmoid_eps")[0]
    ends = gray(steep, window.low_hu, window.center_hu, window.high_hu)
    np.testing.assert_allclose(ends, [1 / 255, 0.5, 254 / 255], rtol=0, atol=1e-6)


def test_dicoms_sigmoid_and_the_steeper_one_are_two_names_with_two_results() -> None:
    dicom, wide = with_curve([BRAIN, SUBDURAL], "sigmoid")
    steep, wide_steep = with_curve([BRAIN, SUBDURAL], "sigmoid_eps")
    found = [*gray(dicom, 80), *gray(steep, 80), *gray(wide, 40), *gray(wide_steep, 40)]
    np.testing.assert_allclose(found, [0.8808, 0.9961, 0.3100, 0.0984], atol=5e-5)
    # Their slopes at the center: by 2 ln 254 over 4.
    rise = [np.diff(gray(window, 39, 41)).item() for window in (dicom, steep)]
    assert rise[1] / rise[0] == pytest.approx(2.7687, rel=2e-3)


def test_the_two_bones_of_the_head_are_two_windows() -> None:
    assert gray(BONE, 0) == [pytest.approx(0.2)]
    assert gray(TEMPORAL_BONE, 0) == [pytest.approx(0.2857, abs=5e-5)]


@pytest.mark.parametrize(
    ("name", "center", "width"),
    [
        ("brain", 40, 80), ("subdural", 80, 200), ("bone", 600, 2000),
        ("temporal_bone", 600, 2800), ("stroke_narrow", 32, 8), ("stroke", 40, 40),
        ("soft_head", 40, 380), ("lung", -600, 1500), ("lung_wide", -200, 2000),
        ("pulmonary", 100, 700), ("mediastinum", 40, 400), ("mediastinum_narrow", 50, 350),
        ("chest_bone", 300, 2000), ("spine_bone", 400, 1800), ("abdomen", 50, 400),
        ("liver", 30, 150), ("spine_soft", 50, 250),
    ],
)  # fmt: skip
def test_a_preset_is_the_range_the_field_knows_by_its_name(
    name: str, center: float, width: float
) -> None:
    assert find_window(name) == WINDOWS[name] == Window(center, width)


@given(windows, values)
def test_no_gray_leaves_its_range_and_none_falls_but_the_exclusive(
    window: Window, hu: list[float]
) -> None:
    found = apply_window(np.sort(hu), window)
    assert found.dtype == np.float32
    assert 0 <= found.min() <= found.max() <= 1
    if window.curve == "exclusive":
        found = found[np.sort(hu) <= window.high_hu]
    assert (np.diff(found) >= 0).all()


@given(centers, widths, st.sampled_from(sorted(CURVES.keys() - {"linear"})))
def test_a_center_is_half_way_from_black_to_white(center: float, width: float, curve: str) -> None:
    assert gray(Window(center, width, curve), center) == [0.5]


@given(centers, st.integers(4, 8000).map(lambda halves: halves / 2))
def test_dicoms_linear_is_half_way_half_a_unit_below_its_center(
    center: float, width: float
) -> None:
    assert gray(Window(center, width, "linear"), center - 0.5) == [0.5]


def test_dicoms_linear_of_width_one_is_a_step() -> None:
    assert gray(Window(40, 1, "linear"), -1000, 39, 39.5, 39.75, 40) == [0, 0, 0, 1, 1]


@given(windows, values)
def test_numpy_and_torch_windows_agree(window: Window, hu: list[float]) -> None:
    array = np.array(hu, np.float32)
    in_torch = hu_to_gray(torch.from_numpy(array), window, torch).numpy()
    np.testing.assert_allclose(apply_window(array, window), in_torch, rtol=0, atol=1e-6)


@given(centers, widths, st.sampled_from(luts.VOI_FUNCTIONS), values)
def test_a_curve_of_dicom_agrees_with_what_a_screen_is_shown(
    center: float, width: float, function: str, hu: list[float]
) -> None:
    shown = voi.apply_window(np.array(hu), luts.VoiWindow(center, width, function))
    ours = apply_window(np.array(hu), Window(center, width, function.lower()))
    np.testing.assert_allclose(ours, shown, rtol=0, atol=1e-6)


@given(windows, values, values)
def test_equal_hu_is_equal_gray_whatever_else_the_slice_holds(
    window: Window, hu: list[float], others: list[float]
) -> None:
    alone, beside = gray(window, *hu), gray(window, *hu, *others)
    assert beside[: len(hu)] == alone


@given(st.floats(1e-6, 1e9), st.floats(-1e9, 1e9), st.sampled_from(sorted(CURVES)))
def test_no_window_that_can_be_made_gives_what_is_no_number(
    width: float, center: float, curve: str
) -> None:
    if curve == "linear" and width < 1:
        return
    found = gray(Window(center, width, curve), -1024, 0, center, 4095, 1e6)
    assert 0 <= min(found) <= max(found) <= 1


def test_grays_fill_eight_bits_from_end_to_end() -> None:
    assert as_uint8(np.array([0.0, 0.5, 1.0, 1.2])).tolist() == [0, 128, 255, 255]
    levels = as_uint8(apply_window(np.linspace(0, 80, 5000), BRAIN))
    assert np.unique(levels).tolist() == list(range(256))


def test_a_window_is_found_by_name_or_by_center_and_width_either_with_a_curve() -> None:
    assert find_window("35/90.5") == Window(35, 90.5)
    assert find_window("-600/1500/linear") == Window(-600, 1500, "linear")
    assert find_window("stroke/sigmoid") == with_curve([STROKE], "sigmoid")[0]
    assert (find_window("45/90").low_hu, find_window("45/90").high_hu) == (0, 90)
    assert find_window("mediastinum") == MEDIASTINUM != find_window("soft_head") == SOFT_HEAD


@pytest.mark.parametrize(
    "name",
    ["brian", "40", "40/", "40/0", "40/-1", "nan/80", "40/inf", "40/1e-50", "40/0.5/linear",
     "40/80/cubic", "brain/cubic", ""],
)  # fmt: skip
def test_a_window_that_is_none_is_refused_and_the_known_are_named(name: str) -> None:
    with pytest.raises(ValueError, match="known: brain, subdural"):
        find_window(name)


def test_what_is_wrong_with_a_window_is_told_with_its_value() -> None:
    with pytest.raises(ValueError, match="width must be above 0 HU, not -1"):
        Window(40, -1)
    with pytest.raises(ValueError, match=r"at least 1 HU for DICOM's LINEAR, not 0\.5"):
        Window(40, 0.5, "linear")
    with pytest.raises(ValueError, match="no curve 'cubic' for a window; known: linear_exact"):
        Window(40, 80, "cubic")
