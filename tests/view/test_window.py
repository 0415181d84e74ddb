"""tests/view/test_window.py: the windows against DICOM's formula and reference values."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wetread.view import device
from wetread.view.window import (
    BONE,
    BRAIN,
    SUBDURAL,
    WINDOWS,
    Window,
    apply_window,
    as_uint8,
    find_window,
)

HU = np.array([-1000, 0, 40, 80, 100, 600], np.float32)


@pytest.mark.parametrize(
    ("window", "grey"),
    [  # DICOM PS3.3 C.11.2.1.3.2, worked out by hand
        (BRAIN, [0, 0, 0.5, 1, 1, 1]),
        (SUBDURAL, [0, 0.1, 0.3, 0.5, 0.6, 1]),
        (BONE, [0, 0.2, 0.22, 0.24, 0.25, 0.5]),
        (Window(-600, 1500), [0.2333, 0.9, 0.9267, 0.9533, 0.9667, 1]),
        (Window(100, 700), [0, 0.3571, 0.4143, 0.4714, 0.5, 1]),
    ],
)
def test_a_window_gives_the_values_of_linear_exact(window: Window, grey: list[float]) -> None:
    np.testing.assert_allclose(apply_window(HU, window), grey, atol=5e-5)


@given(st.floats(-1500, 3000), st.floats(1, 4000), st.floats(-1100, 3000))
def test_numpy_and_torch_windows_agree(center: float, width: float, hu: float) -> None:
    window, values = Window(center, width), np.array([hu, hu + 7], np.float32)
    in_torch = (
        device.apply_windows(torch.from_numpy(values)[None, None, None], [window]).numpy().ravel()
    )
    np.testing.assert_allclose(apply_window(values, window), in_torch, atol=1e-6)


def test_equal_hu_is_equal_grey_whatever_else_the_slice_holds() -> None:
    dark, bright = np.array([30.0, -1000.0]), np.array([30.0, 3000.0])
    assert apply_window(dark, BRAIN)[0] == apply_window(bright, BRAIN)[0]


def test_greys_fill_eight_bits_from_end_to_end() -> None:
    assert as_uint8(np.array([0.0, 0.5, 1.0, 1.2])).tolist() == [0, 128, 255, 255]


def test_a_window_is_found_by_name_or_by_center_and_width() -> None:
    assert find_window("subdural") == WINDOWS["subdural"] == Window(80, 200)
    assert find_window("35/90.5") == Window(35, 90.5)


@pytest.mark.parametrize("name", ["brian", "40", "40/", "40/0", "40/-1"])
def test_an_unknown_window_is_refused_and_the_known_are_named(name: str) -> None:
    with pytest.raises(ValueError, match="known: brain, subdural"):
        find_window(name)
