"""tests/pages/test_scene_page.py: the page turns surfaces in a real browser, offline, and says so
where it cannot."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wetread.anatomy.mask import Mask
from wetread.outputs.mesh import Surface
from wetread.pages.scene_page import (
    MOST_FACES,
    ScenePart,
    scene_html,
    scene_parts,
    write_scene_page,
)
from wetread.study.placement import SlicePlacement

DRAWN = "Number(document.getElementById('view').dataset.drawn)"


def balls() -> list[ScenePart]:
    """A ball within a ball, which is seen through."""
    index = np.stack(list(np.indices((40, 40, 40))), axis=-1)
    origins = np.arange(40)[:, None] * np.array([0, 0, 1.0])
    place = SlicePlacement(origins, np.array([1, 0, 0, 0, 1, 0.0]), (1, 1), np.ones(40))
    inner = np.linalg.norm(index - np.array([24, 16, 20]), axis=-1) < 8
    outer = np.linalg.norm(index - 19.5, axis=-1) < 18
    return scene_parts([Mask("brain", inner, place), Mask("body", outer, place)])


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """The page of two balls, open; the console must stay silent, and nothing be asked for."""
    write_scene_page(tmp_path / "scene.html", "Brain", balls())
    opened = browser.new_page(viewport={"width": 640, "height": 400})
    said: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto((tmp_path / "scene.html").as_uri())
    for _ in range(500):  # asked from here: the page lets nothing be evaluated inside it
        if opened.evaluate(f"{DRAWN} > 0"):
            break
        opened.wait_for_timeout(10)
    yield opened
    assert said == []
    assert all(url.startswith(("file:", "data:")) for url in asked)
    opened.close()


def look(page: Any) -> bytes:
    """The canvas as it is, once nothing more is drawn."""
    before = -1
    while before != (before := page.evaluate(DRAWN)):
        page.wait_for_timeout(60)
    return bytes(page.locator("#view").screenshot())


def test_dragging_turns_and_begins_anew_turns_back(page: Any) -> None:
    first = look(page)
    page.mouse.move(150, 200)
    page.mouse.down()
    page.mouse.move(230, 170, steps=4)
    page.mouse.up()
    assert look(page) != first
    page.click("#reset")
    assert look(page) == first


def test_the_wheel_and_the_keys_zoom_and_turn(page: Any) -> None:
    seen = [look(page)]
    page.mouse.move(150, 200)
    page.mouse.wheel(0, -300)
    seen.append(look(page))
    for key in ("ArrowLeft", "ArrowUp", "-"):
        page.keyboard.press(key)
        seen.append(look(page))
    assert len(set(seen)) == len(seen)
    page.keyboard.press("r")
    assert look(page) == seen[0]


def test_an_organ_goes_and_comes_and_its_opacity_is_a_slider(page: Any) -> None:
    first = look(page)
    page.get_by_text("body").click()
    without = look(page)
    page.keyboard.press("2")
    assert look(page) == first != without
    page.get_by_label("Opacity of body").fill("100")
    hidden = look(page)
    page.keyboard.press("1")
    assert look(page) == hidden != first  # the inner ball cannot be seen


def test_each_side_can_be_looked_at(page: Any) -> None:
    sides = {}
    for button in page.locator("button[data-view]").all():
        button.click()
        sides[button.inner_text()] = look(page)
    assert len(set(sides.values())) == 6


@pytest.mark.parametrize(
    ("view", "letters"),
    [
        ("front", "R L H F"), ("back", "L R H F"), ("left", "A P H F"), ("right", "P A H F"),
        ("above", "L R A P"), ("below", "R L A P"),
    ],
)  # fmt: skip
def test_the_patients_sides_stand_at_the_edges(page: Any, view: str, letters: str) -> None:
    page.locator(f"button[data-view={view}]").click()
    look(page)
    edges = ("left", "right", "top", "bottom")
    assert " ".join(page.inner_text(f"#{edge}") for edge in edges) == letters


def test_two_fingers_pinch_nearer_and_back_without_turning(page: Any) -> None:
    first = look(page)
    pinch(page, 60, 140)
    nearer = look(page)
    pinch(page, 140, 60)
    assert look(page) == first != nearer


def pinch(page: Any, before: float, after: float) -> None:
    """Two fingers on the canvas, so many pixels apart before and after."""
    fingers = page.context.new_cdp_session(page)
    for kind, apart in (("touchStart", before), ("touchMove", after)):
        points = [{"x": 200 + side * apart / 2, "y": 200, "id": side + 1} for side in (-1, 1)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_browser_without_webgl_says_what_to_do(browser: Any, tmp_path: Path) -> None:
    write_scene_page(tmp_path / "scene.html", "Brain", balls())
    opened = browser.new_page()
    opened.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    opened.goto((tmp_path / "scene.html").as_uri())
    assert "draws no WebGL 2" in opened.inner_text("#without")
    assert not opened.locator("#view").is_visible()
    opened.close()


def scene_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="scene">(.*?)</script>', html, re.S)
    assert found is not None
    return dict(json.loads(found[1]))


def test_points_are_kept_to_a_hundredth_of_a_mm() -> None:
    parts = balls()
    scene = scene_of(scene_html("Brain", parts))
    for part, kept in zip(parts, scene["parts"], strict=True):
        steps = np.frombuffer(base64.b64decode(kept["points"]), "<i2").reshape(-1, 3)
        points = steps * scene["step_mm"] + scene["center_mm"]
        assert points == pytest.approx(part.surface.points, abs=0.01)
        faces = np.frombuffer(base64.b64decode(kept["faces"]), "<u4").reshape(-1, 3)
        assert np.array_equal(faces, part.surface.faces)


def test_the_largest_scene_stays_under_10_mb() -> None:
    faces = np.zeros((MOST_FACES, 3), np.int32)
    points = np.zeros((MOST_FACES // 2, 3), np.float32)  # Euler: a closed surface has half as many
    html = scene_html("Brain", [ScenePart("brain", 1.0, Surface(points, faces), (1, 1, 1, 1))])
    assert len(html.encode()) < 10_000_000


def test_the_legend_names_each_organ_and_its_ml_and_text_is_escaped() -> None:
    html = scene_html("A & <b>", balls(), "from </script> here")
    assert "A &amp; &lt;b&gt;" in html
    assert "from &lt;/script&gt; here" in html
    assert re.search(r"brain<b>2\.1 ml", html)
    assert re.search(r"body<b>24 ml", html)


def test_a_scene_with_nothing_in_it_is_a_page_still() -> None:
    place = SlicePlacement(np.zeros((1, 3)), np.array([1, 0, 0, 0, 1, 0.0]), (1, 1), np.ones(1))
    html = scene_html("Brain", scene_parts([Mask("brain", np.zeros((1, 4, 4), bool), place)]))
    assert scene_of(html)["parts"][0]["points"] == ""
