"""tests/view/test_mode.py: the modes against values worked out by hand, and what holds of all."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from wetread.view.mode import (
    MODES,
    Mode,
    apply_mode,
    as_picture,
    find_mode,
    mix_grays,
    window_slices,
)
from wetread.view.window import BRAIN, LUNG, PULMONARY, SUBDURAL, Window, with_curve

BY_HAND = {  # HU: red, green, blue
    "all-channels": "-1000: 0,0,0; 0: 0,0,0; 20: 0,0,.75; 30: .125,0,1; 40: .5,0,1; 60: 1,.25,1; "
    "70: 1,.625,1; 80: 1,1,1; 100: 1,1,1; 600: 1,1,1; 1600: 1,1,1",
    "gradient": "-1000: 0,0,0; 0: 0,0,0; 10: 0,.5,1; 20: 0,1,1; 30: 0,1,.5; 40: 0,1,0; "
    "60: 1,1,0; 70: 1,.5,0; 80: 1,0,0; 100: 1,0,0; 600: 1,0,0; 1600: 1,0,0",
    "gradient-bsb": "-1000: 0,0,0; 0: 0,.36,1; 20: 0,.868,1; 40: 0,1,.624; 80: .392,1,0; "
    "100: .6,1,0; 600: 1,.4,0; 1600: 1,0,0",
    "sigmoid-gradient-bsb": "-1000: 0,.0001,0; 0: 0,.0499,1; 20: 0,.1755,1; 40: 0,.9227,1; "
    "80: .4264,1,0; 100: .9384,1,0; 600: 1,.3,0; 1600: 1,.0024,0",
    "bsb": "-1000: 0,0,0; 0: 0,.1,.2; 40: .5,.3,.22; 80: 1,.5,.24; 100: 1,.6,.25; 600: 1,1,.5",
    "exclusive": "-1000: 0,0,0; 0: 0,.1,.2; 40: .5,.3,.22; 80: 1,.5,.24; 81: 0,.505,.2405; "
    "100: 0,.6,.25; 600: 0,0,.5",
    "sigmoid-bsb": "-1000: 0,0,.0001; 0: .0039,.0118,.0348; 40: .5,.0984,.0431; "
    "80: .9961,.5,.0532; 100: .9998,.7517,.0590; 600: 1,1,.5",
    "pe-rgb": "-1000: .2333,0,0; 0: .9,.3571,.4; 40: .9267,.4143,.5; 80: .9533,.4714,.6; "
    "100: .9667,.5,.65; 600: 1,1,1",
    "bss": "-1000: 0,0,0; 0: 0,.1,.3947; 40: .5,.3,.5; 80: 1,.5,.6053; 100: 1,.6,.6579; 600: 1,1,1",
    "brain": "-1000: 0; 0: 0; 20: .25; 40: .5; 80: 1; 600: 1",
    "sigmoid": "-1000: 0; 0: .0039; 40: .5; 80: .9961; 100: .9998; 600: 1",
}
OF_HU = sorted(name for name, mode in MODES.items() if mode.windows)
FALLS = {"exclusive", "gradient", "gradient-bsb", "sigmoid-gradient-bsb"}

FEW = settings(max_examples=15)  # of every mode

quarters = st.integers(-4400, 16400).map(lambda n: n / 4)  # HU that float32 holds exactly
slices = arrays.arrays(
    np.float32, arrays.array_shapes(min_dims=2, max_dims=4, max_side=7), elements=quarters
)


def by_hand(name: str) -> tuple[np.ndarray, np.ndarray]:
    """(N,) HU and (N, channels) what a mode makes of them."""
    pairs = [pair.split(": ") for pair in BY_HAND[name].split("; ")]
    channels = [[float(one) for one in told.split(",")] for _, told in pairs]
    return np.array([float(hu) for hu, _ in pairs]), np.array(channels)


def seen(hu: np.ndarray, mode: Mode) -> np.ndarray:
    """Channels last; every slice that the mode sees is this one."""
    return np.stack(apply_mode([hu] * len(mode.offsets), mode), -1)


def gradient(g: np.ndarray, above: float) -> np.ndarray:
    """The colors as their definition has them, case by case."""
    red = [np.clip(4 * v - 2, 0, 1) if above < v <= 1 else 0 for v in g]
    green = [np.clip(4 * v, 0, 1) if v <= 0.75 else np.clip(4 - 4 * v, 0, 1) for v in g]
    blue = [np.clip(2 - 4 * v, 0, 1) if above < v <= 1 else 0 for v in g]
    return np.stack([red, green, blue], -1)


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_a_mode_gives_the_values_worked_out_by_hand(name: str) -> None:
    hu, expected = by_hand(name)
    np.testing.assert_allclose(seen(hu, find_mode(name)), expected, rtol=0, atol=5.1e-5)


def test_the_tables_hold_every_mode_of_one_slice() -> None:
    assert set(BY_HAND) == {name for name in OF_HU if len(MODES[name].offsets) == 1}


@pytest.mark.parametrize(
    ("name", "sums"),
    [
        ("gradient-bsb", [0, 0.09, 0.217, 0.344, 0.598, 0.65, 0.9, 1]),
        ("sigmoid-gradient-bsb", [0, 0.0125, 0.0439, 0.2307, 0.6066, 0.7346, 0.9250, 0.9994]),
    ],
)
def test_a_gradient_colors_the_weighted_sum_of_its_grays(name: str, sums: list[float]) -> None:
    above = 0.01 if name.startswith("sigmoid") else 0.0
    found = seen(np.array([-1000, 0, 20, 40, 80, 100, 600, 1600]), find_mode(name))
    np.testing.assert_allclose(found, gradient(np.array(sums), above), rtol=0, atol=2.5e-4)


def test_a_gradient_is_black_then_blue_cyan_green_yellow_red() -> None:
    hu = np.array([0, 1e-3, 20, 40, 60, 80])
    colors = [(0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 1, 0), (1, 0, 0)]
    np.testing.assert_allclose(seen(hu, find_mode("gradient")), colors, atol=1e-4)


def test_bsb_stays_white_where_exclusive_falls_to_black() -> None:
    at_100 = [seen(np.array([100]), find_mode(name))[0, 0] for name in ("bsb", "exclusive")]
    assert at_100 == [1, 0]


def test_other_slices_become_channels_in_the_order_of_the_mode() -> None:
    below, middle, above = (np.full((2, 2), hu, np.float32) for hu in (-250, 100, 275))
    channels = apply_mode([below, middle, above], find_mode("pe-3slice"))
    assert [float(one[0, 0]) for one in channels] == [0, 0.5, 0.75]
    assert (MODES["pe-3slice"].offsets, MODES["adjacent"].offsets) == ((-1, 0, 1), (1, 0, -1))
    with pytest.raises(ValueError, match="sees 3 slices, not 1"):
        apply_mode([middle], find_mode("pe-3slice"))


@pytest.mark.parametrize("name", ["metadata", "adjacent"])
def test_a_mode_of_the_headers_windows_needs_grays(name: str) -> None:
    mode = find_mode(name)
    with pytest.raises(ValueError, match="each slice's own"):
        apply_mode([np.zeros((2, 2))] * len(mode.offsets), mode)
    shown = [np.full((2, 2), gray) for gray in (0.25, 0.5, 0.75)[: len(mode.offsets)]]
    assert mix_grays(shown, mode, np) == tuple(shown)


def agree(hu: np.ndarray, mode: Mode) -> None:
    found = apply_mode([hu] * len(mode.offsets), mode)
    in_torch = mix_grays(
        window_slices([torch.from_numpy(hu)] * len(mode.offsets), mode, torch), mode, torch
    )
    assert len(found) == len(in_torch) == mode.channels
    for ours, theirs in zip(found, in_torch, strict=True):
        assert (ours.shape, ours.dtype) == (hu.shape, np.dtype(np.float32))
        assert 0 <= ours.min() <= ours.max() <= 1
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", OF_HU)
@FEW
@given(hu=slices)
def test_numpy_and_torch_agree_and_stay_in_range_whatever_the_shape(
    name: str, hu: np.ndarray
) -> None:
    agree(hu, find_mode(name))


@pytest.mark.parametrize("name", OF_HU)
@FEW
@given(hu=slices)
def test_numpy_and_torch_stretch_slices_alike(name: str, hu: np.ndarray) -> None:
    # From air to bone: a slice that fills a part p of the grays has their rounding over p.
    hu[..., 0, 0], hu[..., -1, -1] = -1024, 3071
    agree(hu, find_mode(f"{name}_slicewise"))


@pytest.mark.parametrize("name", OF_HU)
def test_numpy_and_torch_agree_at_every_quarter_of_a_unit(name: str) -> None:
    hu = np.arange(-1024, 4096, 0.25, dtype=np.float32)[None]
    mode = find_mode(name)
    in_torch = mix_grays(
        window_slices([torch.from_numpy(hu)] * len(mode.offsets), mode, torch), mode, torch
    )
    theirs = np.stack([one.numpy() for one in in_torch], -1)
    np.testing.assert_allclose(seen(hu, mode), theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", sorted(set(OF_HU) - FALLS))
@FEW
@given(hu=slices)
def test_more_hu_is_never_less_gray_but_in_the_modes_that_fall(name: str, hu: np.ndarray) -> None:
    ordered = np.sort(hu.ravel())[None]
    assert (np.diff(seen(ordered, find_mode(name)), axis=1) >= 0).all()


@pytest.mark.parametrize("name", OF_HU)
@FEW
@given(hu=slices, other=quarters)
def test_with_fixed_bounds_a_pixel_is_what_it_is_whatever_lies_beside_it(
    name: str, hu: np.ndarray, other: float
) -> None:
    mode, changed = find_mode(name), np.full_like(hu, other)
    first = (0,) * hu.ndim
    changed[first] = hu[first]
    np.testing.assert_array_equal(seen(hu, mode)[first], seen(changed, mode)[first])


@pytest.mark.parametrize("name", OF_HU)
@FEW
@given(hu=quarters)
def test_a_constant_slice_stretched_by_itself_is_black_and_no_nan(name: str, hu: float) -> None:
    constant = np.full((2, 3, 4), hu, np.float32)
    assert not seen(constant, find_mode(f"{name}_slicewise")).any()


@given(slices)
def test_stretched_slices_are_those_of_fixed_bounds_only_where_they_reach_both_ends(
    hu: np.ndarray,
) -> None:
    fixed, stretched = find_mode("brain"), find_mode("brain_slicewise")
    ends = np.stack([hu.min((-2, -1)), hu.max((-2, -1))], -1)
    reaches = (ends[..., 0] <= 0) & (ends[..., 1] >= 80)
    constant = np.ptp(seen(hu, fixed)[..., 0], (-2, -1)) == 0
    same = np.isclose(seen(hu, fixed), seen(hu, stretched), rtol=0, atol=1e-6).all((-3, -2, -1))
    assert same[reaches].all()
    black = seen(hu, fixed)[..., 0].max((-2, -1)) == 0
    assert not (same & ~reaches & ~(constant & black)).any()


def test_a_slice_that_reaches_no_end_is_stretched_to_both() -> None:
    hu = np.array([[40.0, 60.0]])
    assert seen(hu, find_mode("40/80"))[0, :, 0].tolist() == [0.5, 0.75]
    assert seen(hu, find_mode("40/80_slicewise"))[0, :, 0].tolist() == [0, 1]


def test_every_slice_of_a_batch_is_stretched_by_its_own() -> None:
    hu = np.array([[[10.0, 30.0]], [[20.0, 60.0]]])
    assert seen(hu, find_mode("pe-rgb_slicewise"))[..., 0].tolist() == [[[0, 1]], [[0, 1]]]


def test_a_stretched_gradient_stretches_its_grays_and_their_sum() -> None:
    hu = np.array([[10.0, 50.0, 70.0, 120.0]])
    grays = [
        np.clip((hu - low) / width, 0, 1) for low, width in ((0, 80), (-20, 200), (-400, 2000))
    ]
    stretched = [(gray - gray.min()) / np.ptp(gray) for gray in grays]
    total = sum(w * gray for w, gray in zip((0.3, 0.5, 0.2), stretched, strict=True))
    expected = gradient(((total - total.min()) / np.ptp(total))[0], 0.0)
    np.testing.assert_allclose(
        seen(hu, find_mode("gradient-bsb_slicewise"))[0], expected, rtol=0, atol=1e-5
    )


def test_a_mode_takes_windows_of_ones_own_and_keeps_its_curve() -> None:
    own = find_mode("sigmoid-bsb:lung,pulmonary,40/400")
    expected = with_curve((LUNG, PULMONARY, Window(40, 400)), "sigmoid_eps")
    assert own == Mode(expected)
    assert find_mode("exclusive:brain/linear,80/200,brain").windows == (
        Window(40, 80, "linear"), *with_curve((SUBDURAL, BRAIN), "exclusive"),
    )  # fmt: skip
    assert find_mode("gradient_slicewise:lung") == Mode((LUNG,), "gradient", slicewise=True)


def test_a_window_is_a_mode_of_one_gray() -> None:
    assert find_mode("lung") == find_mode("-600/1500") == Mode((LUNG,))
    assert find_mode("lung/sigmoid").windows == with_curve((LUNG,), "sigmoid")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bsp", "no window 'bsp'; known: brain, .* or a mode: brain, metadata, bsb"),
        ("bsb:lung", "bsb takes 3 windows, not 1: 'lung'"),
        ("gradient:lung,bone", "gradient takes 1 windows, not 2"),
        ("lung:bone", "no mode 'lung' to take windows; known: brain, metadata"),
        ("bsb:lung,pulmonary,brian", "no window 'brian'"),
    ],
)
def test_a_mode_that_is_none_is_refused_and_the_known_are_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_mode(text)


def test_a_mix_takes_the_grays_it_was_made_for() -> None:
    with pytest.raises(ValueError, match="the mix 'gradient' takes 1 greys, not 2"):
        Mode((BRAIN, SUBDURAL), "gradient")
    with pytest.raises(ValueError, match="no mix 'rainbow' of greys; known: channels"):
        Mode((BRAIN,), "rainbow")


def test_a_picture_is_gray_or_red_green_blue() -> None:
    red, green, blue = (np.full((2, 3), value) for value in (1.0, 0.5, 0.0))
    assert as_picture([red, green, blue])[0, 0].tolist() == [255, 128, 0]
    assert as_picture([green]).shape == (2, 3)
    with pytest.raises(ValueError, match="one channel or three, not 2"):
        as_picture([red, green])
