"""tests/pages/test_scroll_viewer_measures.py: slices found, measures as in NumPy.

No test may leave an error in the console, or have asked for anything but the file itself.
"""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.pages.viewer_hands import (
    COLUMNS,
    CONTENT,
    ROWS,
    SLICES,
    START,
    VOLUME,
    Open,
    number,
    on_screen,
    settled,
    until,
    window_of,
)

from wetread.study.placement import SlicePlacement
from wetread.study.volume import Volume
from wetread.view.window import LUNG

SOPS = tuple(f"1.2.{k}.7" for k in range(SLICES))
NAMED = replace(
    CONTENT,
    volume=replace(VOLUME, sources=SOPS),
    instances=tuple(range(107, 107 - SLICES, -1)),
)


def test_a_slice_is_found_by_its_number_its_instance_and_its_uid(shown: Open) -> None:
    page = shown(NAMED)
    assert page.locator("#sop").inner_text() == SOPS[START]
    assert page.locator("#instance").inner_text() == str(107 - START)
    assert page.locator("#where").inner_text() == "4 / 7\nimage 104\n2.50 mm"
    for wanted, then in (("2", 1), (SOPS[5], 5), ("i107", 0), (" 7 ", 6), ("image 105", 2)):
        page.keyboard.press("g")
        page.keyboard.type(wanted)
        page.keyboard.press("Enter")
        assert number(page) == then, wanted
        assert page.locator("#sop").inner_text() == SOPS[then]
        assert page.locator("#go-to-said").is_hidden()
    for wanted in ("8", "0", "1.2.3", "i1", "<b>x</b>"):
        page.locator("#wanted").fill(wanted)
        page.get_by_role("button", name="Go", exact=True).click()
        assert number(page) == 2
        assert page.locator("#go-to-said").inner_text() == f"No slice {wanted} here."


@pytest.mark.parametrize(
    ("address", "then"),
    [
        (f"#sop={SOPS[6]}", 6),
        ("#slice=2", 1),
        ("#instance=105", 2),
        ("#sop=1.9", START),
        ("#", START),
    ],
)
def test_the_address_names_a_slice(shown: Open, address: str, then: int) -> None:
    page = shown(NAMED, address=address)
    assert number(page) == then
    page.evaluate("window.location.hash = '#slice=1'")
    until(page, "window.wetread.viewer.number === 0")


def test_uid_and_link_are_copied(shown: Open) -> None:
    page = shown(NAMED, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy UID").click()
    until(page, 'document.getElementById("copy-sop").textContent === "Copied"')
    assert page.evaluate("navigator.clipboard.readText()") == SOPS[START]
    page.get_by_role("button", name="Copy link").click()
    until(page, 'document.getElementById("copy-link").textContent === "Copied"')
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"page.html#sop={SOPS[START]}")


def pull(page: Any, *points: tuple[float, float]) -> None:
    """The mouse pressed at the first point, taken along the others, let go."""
    first, *others = on_screen(page, *points)
    page.mouse.move(*first)
    page.mouse.down()
    for point in others:
        page.mouse.move(*point)
    page.mouse.up()
    settled(page)


def measured(page: Any) -> list[str]:
    """Return the lines of the last mark."""
    told = page.locator("#measured li button:first-child").last.inner_text()
    return told.replace("−", "-").split("\n")


def figures(line: str) -> list[float]:
    return [float(part) for part in re.findall(r"-?\d+\.?\d*(?![²\w])", line)]


def test_a_distance_is_in_mm_of_unlike_rows_and_columns(shown: Open) -> None:
    page = shown()
    page.keyboard.press("d")
    pull(page, (10, 10), (40, 30))
    assert measured(page)[0] == "Distance, slice 4"
    assert figures(measured(page)[1]) == pytest.approx([np.hypot(30 * 1.0, 20 * 2.0)], abs=0.15)
    first, last = on_screen(page, (5, 5), (5, 25))
    page.mouse.click(*first)
    page.mouse.click(*last)
    assert figures(measured(page)[1]) == pytest.approx([40], abs=0.15)
    page.keyboard.press("Delete")
    assert page.locator("#measured li").count() == 1
    assert window_of(page) == LUNG  # a drag with a tool in hand changes no window


def test_an_angle_is_that_in_space(shown: Open) -> None:
    page = shown()
    page.get_by_role("button", name="Angle", exact=True).click()
    for point in on_screen(page, (10, 10), (10, 30), (50, 30)):
        page.mouse.click(*point)
    assert figures(measured(page)[1]) == pytest.approx([90], abs=0.3)
    pull(page, (40, 10), (20, 20))  # a leg drawn, then the end of the other
    page.mouse.click(*on_screen(page, (60, 25))[0])
    legs = np.array([20 * 1.0, -10 * 2.0]), np.array([40 * 1.0, 5 * 2.0])
    cosine = legs[0] @ legs[1] / np.prod([np.linalg.norm(leg) for leg in legs])
    assert figures(measured(page)[1]) == pytest.approx([np.degrees(np.arccos(cosine))], abs=0.5)


@pytest.mark.parametrize("kind", ["ellipse", "rectangle", "freehand"])
def test_a_region_has_numpys_mean_sd_and_ends_and_its_own_area(shown: Open, kind: str) -> None:
    page = shown()
    page.keyboard.press({"ellipse": "e", "rectangle": "q", "freehand": "f"}[kind])
    row, column = np.mgrid[:ROWS, :COLUMNS] + 0.5
    left, top, right, bottom = 10.02, 8.02, 40.02, 28.02
    inside = (column > left) & (column < right) & (row > top) & (row < bottom)
    area = (right - left) * (bottom - top) * 2.0
    corners = [(left, top), (right, bottom)]
    if kind == "ellipse":
        x, y = (column - (left + right) / 2) / 15, (row - (top + bottom) / 2) / 10
        inside, area = x * x + y * y <= 1, area * np.pi / 4
    if kind == "freehand":  # a triangle below the diagonal
        corners = [(left, top), (right, bottom), (left, bottom), (left, top)]
        inside = inside & ((row - top) * 30 > (column - left) * 20)
        area = area / 2
    pull(page, *corners)
    _, means, ends, size = measured(page)
    values = VOLUME.hu[START][inside].astype(float)
    assert means.startswith("mean ")
    told_area, told_count = figures(size)
    assert told_count == pytest.approx(len(values), abs=2)  # an edge may fall on a voxel's middle
    assert told_area == pytest.approx(area, rel=0.01)
    if told_count == len(values):
        assert figures(means) == pytest.approx([values.mean(), values.std()], abs=0.06)
        assert ends == f"{values.min():.0f} to {values.max():.0f} HU"


def test_without_a_size_of_pixels_and_a_unit_it_is_pixels_and_grey(shown: Open) -> None:
    nowhere = SlicePlacement(
        np.full((1, 3), np.nan), np.full(6, np.nan), (np.nan, np.nan), np.full(1, np.nan)
    )
    one = Volume(VOLUME.hu[:1], nowhere, ("",), (), np.zeros(1), "grey")
    page = shown(replace(CONTENT, volume=one, start=0))
    assert page.locator("#scale").is_hidden()
    assert "in pixels" in page.locator("#measure-said").inner_text()
    page.keyboard.press("q")
    pull(page, (10.02, 8.02), (20.02, 18.02))
    _, means, _, size = measured(page)
    assert "grey, SD" in means
    assert size == "area 100.0 px², 100 pixels"
    assert figures(means)[0] == pytest.approx(VOLUME.hu[0, 8:18, 10:20].mean(), abs=0.06)


def test_marks_stay_on_their_slice_and_lead_back_to_it(shown: Open) -> None:
    page = shown()
    page.keyboard.press("d")
    pull(page, (10, 10), (40, 30))
    page.keyboard.press("Escape")
    page.keyboard.press("End")
    assert number(page) == SLICES - 1
    page.locator("#measured li button").first.click()
    assert number(page) == START
    page.locator("#measured li button").last.click()
    assert page.locator("#measured li").count() == 0


def test_the_bar_is_as_long_as_it_says(shown: Open) -> None:
    page = shown()
    for _ in range(3):
        said = page.locator("#scale").inner_text()
        width = page.evaluate('document.querySelector("#scale i").getBoundingClientRect().width')
        across = page.evaluate("window.wetread.viewer.scale[0]")  # of a column, 1 mm
        assert said.endswith(" mm")
        assert width == pytest.approx(figures(said)[0] * across, abs=1)
        page.keyboard.press("+")
        settled(page)
