"""tests/pages/test_scroll_viewer_planes.py: planes, policy and paper.

No test may leave an error in the console, or have asked for anything but the file itself.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.pages.viewer_hands import (
    CONTENT,
    INSIDE,
    PLACE,
    POSITIONS,
    ROWS,
    SLICES,
    START,
    VOLUME,
    Open,
    assert_shows,
    number,
    on_screen,
    settled,
    until,
)

from wetread.pages.scroll_page import Overlay, write_scroll_page
from wetread.view.window import LUNG

EVEN = replace(
    VOLUME,
    place=replace(PLACE, origins_mm=PLACE.origins_mm[0] + np.arange(SLICES)[:, None] * [0, 0, 5.0]),
)


def grid_values(page: Any) -> np.ndarray:
    """(rows, columns) of the shown slice's values; NaN where there is no voxel."""
    settled(page)
    told = page.evaluate(
        """() => { const { viewer } = window.wetread, slice = viewer.slices.ready(viewer.number);
        return [viewer.series.rows, viewer.series.columns, Array.from(slice.codes, (code, at) =>
          isSet(slice.missing, at) ? null : valueOf(slice, code))]; }"""
    )
    rows, columns, values = told
    return np.array([np.nan if one is None else one for one in values]).reshape(rows, columns)


def test_coronal_and_sagittal_planes_are_the_volume_cut_across(shown: Open) -> None:
    page = shown(replace(CONTENT, volume=EVEN))
    page.get_by_role("button", name="Coronal").click()
    until(page, "window.wetread.planes.chosen === 1")
    page.keyboard.press("Home")
    np.testing.assert_array_equal(grid_values(page), EVEN.hu[::-1, 0])  # head up, from the front
    assert [
        page.locator(f"#{side}").inner_text() for side in ("left", "right", "top", "bottom")
    ] == [*("R", "L", "H", "F")]
    assert page.evaluate("window.wetread.viewer.series.spacing") == [5, 1]
    assert page.locator("#where").inner_text() == f"1 / {ROWS}\n30.00 mm"
    page.mouse.move(*on_screen(page, (12.5, 2.5))[0])
    said = page.locator("#under").inner_text().replace("−", "-").split("\n")
    assert said[0] == f"{EVEN.hu[SLICES - 3, 0, 12]:.0f} HU"
    assert said[2] == "-8.0 30.0 7.5 mm LPS"
    page.get_by_role("button", name="Sagittal").click()
    until(page, "window.wetread.planes.chosen === 2")
    page.keyboard.press("End")
    np.testing.assert_array_equal(grid_values(page), EVEN.hu[::-1, :, -1])
    page.get_by_role("button", name="Axial").click()
    until(page, "window.wetread.planes.chosen === 0")
    assert number(page) == START
    assert_shows(page, START, LUNG)


def test_masks_and_broken_values_lie_in_the_planes_where_they_lie_in_the_slices(
    shown: Open,
) -> None:
    hu = EVEN.hu + np.float32(0.25)
    page = shown(replace(CONTENT, volume=replace(EVEN, hu=hu), overlays=(Overlay("ball", INSIDE),)))
    page.get_by_role("button", name="Sagittal").click()
    until(page, "window.wetread.planes.chosen === 2")
    page.locator("#slices").fill("31")
    np.testing.assert_array_equal(grid_values(page), hu[::-1, :, 30])
    bits = page.evaluate("Array.from(window.wetread.viewer.slices.ready(30).masks[0])")
    cut = np.unpackbits(np.array(bits, np.uint8), bitorder="little")[: SLICES * ROWS]
    np.testing.assert_array_equal(cut.reshape(SLICES, ROWS), INSIDE[::-1, :, 30])


def test_a_sheared_stack_stands_upright_and_a_gap_stays_dark(shown: Open) -> None:
    origins = PLACE.origins_mm + np.arange(SLICES)[:, None] * [0, 4.0, 0]  # two rows a slice
    page = shown(replace(CONTENT, volume=replace(VOLUME, place=replace(PLACE, origins_mm=origins))))
    assert "uneven steps of 5 to 15 mm; gaps are dark" in (
        page.locator("#planes-said").inner_text().lower()
    )
    page.get_by_role("button", name="Sagittal").click()
    until(page, "window.wetread.planes.chosen === 2")
    page.locator("#slices").fill("1")
    seen = grid_values(page)
    assert seen.shape == (9, ROWS + 2 * (SLICES - 1))  # 40 mm, each 5 mm
    rows = np.round((POSITIONS.max() - POSITIONS) / 5).astype(int)
    for k, row in enumerate(rows):
        np.testing.assert_array_equal(seen[row, 2 * k : 2 * k + ROWS], VOLUME.hu[k, :, 0])
    assert np.isnan(seen[sorted(set(range(9)) - set(rows.tolist()))]).all()


def test_planes_that_cannot_be_made_are_refused_in_words(shown: Open) -> None:
    unplaced = replace(PLACE, origins_mm=np.full((SLICES, 3), np.nan))
    page = shown(replace(CONTENT, volume=replace(VOLUME, place=unplaced)))
    assert page.get_by_role("button", name="Coronal").count() == 0
    assert page.get_by_text("No other planes: the headers do not say").is_visible()


def test_the_page_runs_no_text_as_code_and_no_script_but_its_own(
    browser: Any, tmp_path: Path
) -> None:
    write_scroll_page(tmp_path / "page.html", CONTENT, 10**8)
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    blocked = page.evaluate(
        """async () => { const refused = [];
        document.addEventListener("securitypolicyviolation", (event) => refused.push(
          [event.effectiveDirective, event.blockedURI]));
        setTimeout("window.intruder = true", 1);
        const script = document.createElement("script");
        script.textContent = "window.intruder = true";
        document.body.append(script);
        await new Promise((wait) => setTimeout(wait, 100));
        return [refused.sort(), Boolean(window.intruder)]; }"""
    )
    page.close()
    assert blocked == [[["script-src", "eval"], ["script-src-elem", "inline"]], False]


def test_on_paper_no_picture_is_stretched_and_no_bar_of_screen_pixels_stands(shown: Open) -> None:
    page = shown()
    page.emulate_media(media="print")
    fits = 'getComputedStyle(document.getElementById("screen")).objectFit'
    assert page.evaluate(fits) == "contain"
    assert page.locator("#scale").is_hidden()
    assert page.locator("#bar").is_hidden()
    assert page.locator("#stage").is_visible()
    assert page.get_by_text("Research use only").is_visible()
