"""tests/pages/test_scroll_viewer_windows.py: slices and windows as in NumPy.

No test may leave an error in the console, or have asked for anything but the file itself.
"""

from dataclasses import replace

import numpy as np
import pytest
from tests.pages.viewer_hands import (
    BAND,
    COLUMNS,
    CONTENT,
    INSIDE,
    ROWS,
    SLICES,
    START,
    VOLUME,
    WITH_MASKS,
    Open,
    assert_shows,
    drag,
    expected,
    middle,
    number,
    pixels,
    settled,
    window_of,
)

from wetread.pages.scroll_page import Preset
from wetread.view.window import BONE, BRAIN, CURVES, LUNG, WINDOWS, Window


def test_the_first_picture_is_the_start_slice_in_the_first_window(shown: Open) -> None:
    page = shown()
    assert number(page) == START
    assert_shows(page, START, LUNG)
    assert page.locator("#message").is_hidden()


def test_every_value_in_the_browser_is_numpys_to_the_last_bit(shown: Open) -> None:
    rng = np.random.default_rng(5)
    wild = np.stack(
        [
            rng.integers(-32768, 32768, (ROWS, COLUMNS)),
            np.where(rng.random((ROWS, COLUMNS)) < 0.5, -32768, 32767),
            np.full((ROWS, COLUMNS), -1024),
            np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) - 1500,
            rng.integers(0, 65536, (ROWS, COLUMNS)),
            rng.integers(-900, 900, (ROWS, COLUMNS)) * np.float32(0.1) + np.float32(0.25),
            rng.normal(0, 1e5, (ROWS, COLUMNS)),
        ]
    ).astype(np.float32)
    page = shown(replace(CONTENT, volume=replace(VOLUME, hu=wild)))
    for k, values in enumerate(wild):
        told = page.evaluate(
            """async (k) => { const slice = await window.wetread.viewer.slices.get(k);
            return Array.from(slice.codes, (code) => valueOf(slice, code)); }""",
            k,
        )
        np.testing.assert_array_equal(np.array(told, np.float32).reshape(ROWS, COLUMNS), values)


@pytest.mark.parametrize("curve", CURVES)
def test_every_curve_is_that_of_the_windows(shown: Open, curve: str) -> None:
    window = Window(37, 93, curve)
    page = shown(replace(CONTENT, presets=(Preset("own", window),), preset=0))
    assert_shows(page, START, window)
    page.keyboard.press("i")
    assert np.abs(pixels(page) - (255 - expected(START, window))).max() <= 1


def test_the_wheel_goes_through_the_slices_and_stops_at_the_ends(shown: Open) -> None:
    page = shown()
    page.mouse.move(*middle(page))
    page.mouse.wheel(0, 100)
    assert number(page) == START + 1
    assert_shows(page, START + 1, LUNG)
    for _ in range(9):
        page.mouse.wheel(0, -100)
        settled(page)
    assert number(page) == 0
    assert_shows(page, 0, LUNG)


def test_keys_go_to_slices(shown: Open) -> None:
    page = shown()
    for key, then in (
        ("ArrowDown", 4), ("ArrowRight", 5), ("ArrowUp", 4), ("ArrowLeft", 3), ("End", 6),
        ("Home", 0), ("PageDown", 6), ("PageUp", 0),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert number(page) == then, key
        assert_shows(page, then, LUNG)


def test_the_slider_has_all_slices_and_the_arrows_agree_with_it(shown: Open) -> None:
    page = shown()
    assert page.locator("#slices").get_attribute("max") == str(SLICES)
    page.locator("#slices").fill("6")
    assert number(page) == 5
    page.locator("#slices").focus()
    page.keyboard.press("ArrowDown")
    assert number(page) == 6
    assert page.locator("#number").inner_text() == "7 / 7"


def test_dragging_changes_width_across_and_center_down(shown: Open) -> None:
    page = shown()
    page.keyboard.press("1")
    drag(page, 60, 0)
    wider = window_of(page)
    assert (wider.center_hu, wider.curve) == (50, "linear")
    assert wider.width_hu == 420  # 350 * (1 + 60 / 300)
    assert_shows(page, START, wider)
    drag(page, 0, -50)
    lower = window_of(page)
    assert (lower.center_hu, lower.width_hu) == (-20, 420)  # 50 - 50 * 420 / 300
    assert_shows(page, START, lower)
    drag(page, -1000, 0)
    assert window_of(page).width_hu == 1


def test_presets_are_chosen_by_key_and_by_hand(shown: Open) -> None:
    page = shown()
    page.keyboard.press("2")
    assert window_of(page) == BRAIN
    assert_shows(page, START, BRAIN)
    page.keyboard.press("0")
    assert window_of(page) == Window(6, 100)  # the tenth
    page.get_by_text("More windows").click()
    page.get_by_role("button", name="bone").click()
    assert window_of(page) == WINDOWS["bone"]
    assert_shows(page, START, BONE)
    assert "bone\n600 / 2000" in page.locator("#window").inner_text()


def test_center_and_width_are_set_by_slider_and_by_number(shown: Open) -> None:
    page = shown()
    page.locator("#center-number").fill("77")
    page.locator("#center-number").press("Enter")
    page.locator("#width-number").fill("123")
    page.locator("#width-number").press("Enter")
    assert window_of(page) == Window(77, 123)
    assert_shows(page, START, Window(77, 123))
    page.locator("#center").fill("-100")
    page.locator("#width").fill("0")
    assert (window_of(page).center_hu, window_of(page).width_hu) == (-100, 1)
    page.locator("#width").fill("1000")
    assert window_of(page).width_hu == np.ptp(VOLUME.hu)
    page.keyboard.press("r")
    assert window_of(page) == LUNG


def test_a_mask_changes_pixels_only_where_it_is(shown: Open) -> None:
    page = shown(WITH_MASKS)
    plain, inside = expected(START, LUNG), INSIDE[START] | BAND[START]
    seen = pixels(page)
    assert np.abs(seen - plain)[~inside].max() <= 1
    both, ball = INSIDE[START] & BAND[START], np.array([255, 107, 87])
    only = INSIDE[START] & ~both
    assert np.abs(seen[only] - (0.6 * plain[only] + 0.4 * ball)).max() <= 2
    twice = 0.6 * (0.6 * plain[both] + 0.4 * ball) + 0.4 * np.array([72, 187, 255])
    assert np.abs(seen[both] - twice).max() <= 3
    page.keyboard.press("m")
    assert_shows(page, START, LUNG)
    page.keyboard.press("m")
    np.testing.assert_array_equal(pixels(page), seen)


def test_masks_are_switched_and_mixed_one_by_one(shown: Open) -> None:
    page = shown(WITH_MASKS)
    page.get_by_label("ball").uncheck()
    changed = np.abs(pixels(page) - expected(START, LUNG)).max(axis=2) > 1
    assert changed.any()
    assert not changed[~BAND[START]].any()
    page.locator("#opacity").fill("1")
    page.locator("#screen").focus()
    assert (pixels(page)[BAND[START]] == (72, 187, 255)).all()
    page.keyboard.press("End")
    assert_shows(page, SLICES - 1, LUNG)
