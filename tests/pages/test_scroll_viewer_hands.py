"""tests/pages/test_scroll_viewer_hands.py: mouse, keys and fingers, and what is told.

No test may leave an error in the console, or have asked for anything but the file itself.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pages.viewer_hands import (
    COLUMNS,
    CONTENT,
    PLACE,
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
    until,
    window_of,
)

from wetread.pages.scroll_page import write_scroll_page
from wetread.study.placement import SlicePlacement
from wetread.study.volume import Volume
from wetread.view.window import LUNG, Window


def test_under_the_cursor_stand_value_voxel_place_and_masks(shown: Open) -> None:
    page = shown(WITH_MASKS)
    for row, column in ((0, 0), (20, 30), (39, 63), (7, 50)):
        at = page.evaluate(
            """([row, column]) => { const { scale, corner, canvas } = window.wetread.viewer;
            const box = canvas.getBoundingClientRect();
            return [box.left + corner[0] + (column + 0.5) * scale[0],
                    box.top + corner[1] + (row + 0.5) * scale[1]]; }""",
            [row, column],
        )
        page.mouse.move(*at)
        said = page.locator("#under").inner_text().replace("−", "-").split("\n")
        assert said[0] == f"{VOLUME.hu[START, row, column]:.0f} HU"
        assert said[1] == f"column {column}, row {row}"
        place = PLACE.position_of(np.array([START, row, column]))
        assert said[2] == " ".join(f"{mm:.1f}" for mm in place) + " mm LPS"
        inside = [o.name for o in WITH_MASKS.overlays if o.inside[START, row, column]]
        assert [line for line in said[3:] if line] == ([", ".join(inside)] if inside else [])
    page.mouse.move(2, 2)
    assert page.locator("#under").is_hidden()


def test_the_value_under_a_still_cursor_follows_the_slices(shown: Open) -> None:
    page = shown()
    page.mouse.move(*middle(page))
    page.keyboard.press("Home")
    settled(page)
    there = page.evaluate("window.wetread.viewer.at(...window.wetread.controls.pointer)")
    assert there["value"] == VOLUME.hu[0, there["row"], there["column"]]
    said = page.locator("#under b").inner_text().replace("−", "-")
    assert said == f"{there['value']:.0f} HU"


def test_the_screen_has_the_physical_aspect_and_shows_voxels_in_place(shown: Open) -> None:
    page = shown()
    for _ in range(9):
        page.keyboard.press("+")
    settled(page)
    told = page.evaluate(
        """() => { const { scale, corner, canvas } = window.wetread.viewer;
        const { width, height } = canvas, ratio = width / canvas.clientWidth;
        const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
        const grey = ([row, column]) => {
          const x = Math.floor(ratio * (corner[0] + (column + 0.5) * scale[0]));
          const y = Math.floor(ratio * (corner[1] + (row + 0.5) * scale[1]));
          return data[4 * (y * width + x)];
        };
        return { scale, greys: [[20, 32], [19, 31], [21, 33], [20, 31]].map(grey) }; }"""
    )
    assert told["scale"][1] / told["scale"][0] == pytest.approx(2.0)
    greys = expected(START, LUNG)[[20, 19, 21, 20], [32, 31, 33, 31], 0]
    np.testing.assert_allclose(told["greys"], greys, atol=1)


def test_the_picture_is_moved_and_zoomed_and_reset(shown: Open) -> None:
    page = shown()
    before = page.evaluate("window.wetread.viewer.corner")
    page.keyboard.press("p")
    drag(page, 30, -20)
    page.keyboard.press("p")
    after = page.evaluate("window.wetread.viewer.corner")
    assert np.subtract(after, before) == pytest.approx([30, -20])
    assert window_of(page) == LUNG
    drag(page, 0, -100, button="right")
    settled(page)
    assert page.evaluate("window.wetread.viewer.zoom") == pytest.approx(np.exp(0.5))
    page.keyboard.press("r")
    assert page.evaluate("window.wetread.viewer.corner") == pytest.approx(before)


def test_zooming_keeps_what_lies_under_the_cursor(shown: Open) -> None:
    page = shown()
    x, y = middle(page)
    page.mouse.move(x + 90, y - 60)
    under = "window.wetread.viewer.at(...window.wetread.controls.pointer)"
    before = page.evaluate(under)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    settled(page)
    assert page.evaluate("window.wetread.viewer.zoom") > 1.5
    after = page.evaluate(under)
    assert (after["row"], after["column"]) == (before["row"], before["column"])
    assert number(page) == START


def test_around_the_picture_stand_slice_position_sides_and_unit(shown: Open) -> None:
    page = shown()
    assert page.locator("#where").inner_text() == "4 / 7\n2.50 mm"
    sides = [page.locator(f"#{side}").inner_text() for side in ("left", "right", "top", "bottom")]
    assert sides == ["R", "L", "A", "P"]
    assert page.locator("#unit").inner_text() == "HU"
    page.keyboard.press("Home")
    settled(page)
    assert page.locator("#where").inner_text() == "1 / 7\n−12.50 mm"


def test_the_series_plays_round_and_round_and_stops(shown: Open) -> None:
    page = shown()
    page.locator("#speed").select_option("25")
    page.locator("#screen").focus()
    page.evaluate(
        """() => { window.seen = new Set(); const { controls, viewer } = window.wetread;
        viewer.after = () => { window.seen.add(viewer.shown); controls.tell(); }; }"""
    )
    page.keyboard.press(" ")
    until(page, f"window.seen.size === {SLICES}")
    page.keyboard.press(" ")
    page.wait_for_timeout(100)
    still = number(page)
    page.wait_for_timeout(150)
    assert number(page) == still


def test_help_opens_and_closes_and_keys_rest_meanwhile(shown: Open) -> None:
    page = shown()
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Home")
    assert number(page) == START
    page.keyboard.press("Escape")
    assert not page.locator("#help").is_visible()


def touch(page: Any, *steps: list[tuple[float, float]]) -> None:
    """Fingers put down at the first step's points, moved through the others, taken away."""
    session = page.context.new_cdp_session(page)
    for k, points in enumerate(steps):
        session.send(
            "Input.dispatchTouchEvent",
            {
                "type": "touchMove" if k else "touchStart",
                "touchPoints": [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)],
            },
        )
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


PHONE = {"viewport": {"width": 400, "height": 800}, "has_touch": True, "is_mobile": True}


def test_one_finger_goes_through_the_slices(shown: Open) -> None:
    page = shown(**PHONE)
    x, y = middle(page)
    touch(page, [(x, y)], [(x, y + 25)], [(x, y + 50)])
    assert number(page) == START + 2  # 24 pixels a slice, at most
    assert window_of(page) == LUNG


def test_the_value_where_a_finger_tapped_stays_told(shown: Open) -> None:
    page = shown(**PHONE)
    x, y = middle(page)
    touch(page, [(x, y)])
    there = page.evaluate("window.wetread.viewer.at(...window.wetread.controls.pointer)")
    assert there["value"] == VOLUME.hu[START, there["row"], there["column"]]
    said = page.locator("#under b").inner_text().replace("−", "-")
    assert said == f"{there['value']:.0f} HU"


def test_two_fingers_together_change_the_window_and_apart_zoom(shown: Open) -> None:
    page = shown(**PHONE)
    x, y = middle(page)
    apart = [(x - 40, y), (x + 40, y)]
    touch(page, apart, *([(a + d, b) for a, b in apart] for d in (15, 30, 60)))
    assert window_of(page) == Window(-600, 1800)  # 1500 * (1 + 60 / 300)
    assert page.evaluate("window.wetread.viewer.zoom") == 1
    touch(page, apart, *([(x - d, y), (x + d, y)] for d in (60, 80)))
    settled(page)
    assert page.evaluate("window.wetread.viewer.zoom") == pytest.approx(2)
    assert number(page) == START


def test_nothing_lies_beside_a_narrow_screen(shown: Open) -> None:
    page = shown(WITH_MASKS, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 400


def test_a_radiograph_has_no_slices_to_scroll_and_begins_inverted_where_the_least_is_white(
    shown: Open,
) -> None:
    nowhere = SlicePlacement(
        np.full((1, 3), np.nan), np.full(6, np.nan), (np.nan, np.nan), np.full(1, np.nan)
    )
    one = Volume(VOLUME.hu[:1], nowhere, ("",), (), np.zeros(1), "grey")
    page = shown(replace(CONTENT, volume=one, start=0, inverted=True))
    assert page.locator("#bar").is_hidden()
    assert page.locator("#where").inner_text() == "1 / 1"
    assert np.abs(pixels(page) - (255 - expected(0, LUNG))).max() <= 1
    page.mouse.move(*middle(page))
    said = page.locator("#under").inner_text()
    assert "grey" in said
    assert "mm" not in said


def test_only_so_many_slices_are_kept_and_dropped_ones_come_back(shown: Open) -> None:
    page = shown()
    page.evaluate(
        f"""() => {{ const {{ slices }} = window.wetread.viewer; slices.kept.clear();
        slices.bytes = 0; slices.most = {3 * ROWS * COLUMNS * 2}; }}"""
    )
    for key in ["End", "Home", *["ArrowDown"] * (SLICES - 1), "Home"]:
        page.keyboard.press(key)
        settled(page)
    until(page, "window.wetread.viewer.slices.underWay.size === 0")
    slices = "window.wetread.viewer.slices"
    assert page.evaluate(f"[{slices}.kept.size, {slices}.bytes]") == [3, 3 * ROWS * COLUMNS * 2]
    assert_shows(page, 0, LUNG)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (-200, "slice 1 is not in this page: the file is cut"),
        (100, "slice 1 cannot be unpacked: the file is cut or changed"),
    ],
)
def test_a_cut_file_says_so_when_the_slice_is_wanted(look: Open, left: int, said: str) -> None:
    page = look(CONTENT, spoil=lambda whole: whole[: whole.index(b'id="slice-0"') + left])
    until(page, "window.wetread")
    page.keyboard.press("Home")
    page.get_by_text(said).wait_for()


def test_a_fault_that_is_said_before_the_first_picture_stays(look: Open) -> None:
    early = (b"viewer.go(viewer.number)", b'fail("a fault"); viewer.go(viewer.number)')

    def spoil(whole: bytes) -> bytes:  # its policy lets only the script run that was written
        return re.sub(rb"script-src '[^']*'", b"script-src 'unsafe-inline'", whole).replace(*early)

    page = look(CONTENT, spoil=spoil)
    until(page, "window.wetread && window.wetread.firstPictureMs !== null")
    assert page.get_by_text("a fault").is_visible()


def test_a_browser_that_cannot_unpack_is_told_which_can(browser: Any, tmp_path: Path) -> None:
    write_scroll_page(tmp_path / "page.html", CONTENT, 10**8)
    context = browser.new_context()
    context.add_init_script("delete window.DecompressionStream")
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert "lacks DecompressionStream" in page.locator("#message").inner_text()
    context.close()
