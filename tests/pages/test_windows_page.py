"""tests/pages/test_windows_page.py: the page of modes, as text and as a browser shows it."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wetread.pages.windows_page import (
    HU_AXIS,
    TISSUE_RANGES,
    ModePanel,
    WindowsPage,
    windows_page_html,
    write_windows_page,
)
from wetread.study.histogram import (
    HU_BINS,
    STORED_BINS,
    SeriesHistograms,
    histogram,
)
from wetread.view.mode import apply_mode, as_picture, find_mode

HU = np.tile(np.linspace(-1000, 1500, 48, dtype=np.float32), (32, 1))
NAMES = ("brain", "bsb", "gradient")


@pytest.fixture(scope="module")
def page() -> WindowsPage:
    modes = [find_mode(name) for name in NAMES]
    shown = [
        ModePanel(
            name,
            "told <b>",
            np.stack(apply_mode([HU_AXIS], mode)),
            as_picture(apply_mode([HU], mode)),
        )
        for name, mode in zip(NAMES, modes, strict=True)
    ]
    counted = SeriesHistograms(histogram(HU + 1024, STORED_BINS), histogram(HU, HU_BINS), "HU", 1)
    return WindowsPage(tuple(shown), HU.astype(np.int16), "Slice 1 of 1", counted)


@pytest.fixture(scope="module")
def browser(browser: Any) -> Iterator[Any]:
    """A page of the browser; what it says and asks for is kept in `heard`."""
    opened = browser.new_page(viewport={"width": 1100, "height": 900})
    opened.heard = []
    opened.on("console", lambda said: opened.heard.append(said.text))
    opened.on("pageerror", lambda error: opened.heard.append(str(error)))
    opened.on("request", lambda asked: opened.heard.append(asked.url))
    yield opened
    opened.close()


def test_the_page_asks_for_nothing_from_outside_and_escapes_what_it_tells(
    page: WindowsPage,
) -> None:
    text = windows_page_html(page)
    assert not re.search(r"""(src|href)=["'](?!data:)|url\(|https?://|@import""", text)
    assert "told &lt;b&gt;" in text
    assert "told <b>" not in text


def test_the_curves_of_the_page_are_those_of_the_modes(page: WindowsPage) -> None:
    found = re.search(r'id="data">(.*?)</script>', windows_page_html(page), re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    assert [mode["name"] for mode in data["modes"]] == list(NAMES)
    for mode, shown in zip(data["modes"], page.modes, strict=True):
        curves = [np.frombuffer(b64decode(text), "<u2") / 65535 for text in mode["curves"]]
        np.testing.assert_allclose(np.stack(curves), shown.curves, rtol=0, atol=1e-5)
    assert sum(data["hu_histogram"]["counts"]) == HU.size


def test_no_tissue_lies_off_the_axis_or_backwards() -> None:
    for tissue in TISSUE_RANGES:
        assert HU_AXIS[0] <= tissue.low_hu < tissue.high_hu <= HU_AXIS[-1], tissue


def test_the_chart_is_read_under_the_pointer_without_an_error_or_a_request(
    page: WindowsPage, browser: Any, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    write_windows_page(path, page)
    browser.goto(path.as_uri())
    browser.click("[data-range=head]")  # straight, from -20 to 120 HU
    plot = browser.query_selector("canvas.tissues").bounding_box()
    browser.mouse.move(plot["x"] + plot["width"] * 80 / 140, plot["y"] + 20)
    assert browser.inner_text("#hu") == "60 HU"
    assert browser.inner_text("#tissue") == "clot"
    assert browser.locator(".mode .value").all_inner_texts() == [
        "0.750", "R 0.750  G 0.400  B 0.230", "R 1.000  G 1.000  B 0.000",
    ]  # fmt: skip
    browser.focus("#chart")
    browser.keyboard.press("ArrowRight")
    browser.keyboard.press("Shift+ArrowLeft")
    assert browser.inner_text("#hu") == "51 HU"
    assert browser.heard == [path.as_uri()]


def test_the_colours_below_a_curve_are_the_modes(
    page: WindowsPage, browser: Any, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    write_windows_page(path, page)
    browser.goto(path.as_uri())
    browser.click("[data-range=head]")
    colours = browser.evaluate(
        """() => [...document.querySelectorAll(".mode canvas")].map((canvas) => {
            const at = Math.round(canvas.width * 60.2 / 140);
            return [...canvas.getContext("2d").getImageData(at, canvas.height - 5, 1, 1).data];
        })"""
    )
    expected = [as_picture(apply_mode([np.array([[40]])], find_mode(name))) for name in NAMES]
    for found, mode in zip(colours, expected, strict=True):
        colour = np.broadcast_to(mode.reshape(-1), 3).astype(int)
        assert np.abs(np.array(found[:3]) - colour).max() <= 1


def test_pointing_at_a_picture_marks_its_hu_and_its_place_in_all(
    page: WindowsPage, browser: Any, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    write_windows_page(path, page)
    browser.goto(path.as_uri())
    picture = browser.locator(".seen").nth(1)
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    browser.mouse.move(box["x"] + box["width"] * 30.5 / 48, box["y"] + box["height"] / 2)
    assert browser.inner_text("#hu") == f"{int(HU[0, 30])} HU"
    assert browser.locator(".seen u:visible").count() == len(NAMES)


@pytest.mark.parametrize("width", [1100, 400])
def test_the_page_is_no_wider_than_the_window(
    page: WindowsPage, browser: Any, tmp_path: Path, width: int
) -> None:
    path = tmp_path / "page.html"
    write_windows_page(path, page)
    browser.set_viewport_size({"width": width, "height": 900})
    browser.goto(path.as_uri())
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    browser.set_viewport_size({"width": 1100, "height": 900})
