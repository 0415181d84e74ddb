"""tests/outputs/test_scroll_viewer.py: the page driven in a browser shows what NumPy says.

No test may leave an error in the console, or have asked for anything but the file itself.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wetread.outputs.scroll_page import Overlay, Preset, ScrollContent, write_scroll_page
from wetread.study.place import Place
from wetread.study.volume import Volume
from wetread.view.window import BONE, BRAIN, CURVES, LUNG, WINDOWS, Window, apply_window, as_uint8

SLICES, ROWS, COLUMNS = 7, 40, 64
START = 3
Open = Callable[..., Any]

POSITIONS = np.array([0.0, 5, 10, 15, 20, 35, 40]) - 12.5
PLACE = Place(
    origins_mm=np.stack([np.full(SLICES, -20.0), np.full(SLICES, 30.0), POSITIONS], 1),
    orientation=np.array([1.0, 0, 0, 0, 1, 0]),
    spacing_mm=(2.0, 1.0),  # rows lie twice as far apart as columns
    thickness_mm=np.full(SLICES, 5.0),
)


def _volume() -> Volume:
    rng = np.random.default_rng(4)
    hu = rng.integers(-1024, 3072, (SLICES, ROWS, COLUMNS)).astype(np.float32)
    return Volume(hu, PLACE, ("",) * SLICES, (), np.arange(float(SLICES)))


VOLUME = _volume()
BALL = np.hypot(*(np.mgrid[:ROWS, :COLUMNS] - np.array([20, 30])[:, None, None])) < 9
INSIDE = np.zeros((SLICES, ROWS, COLUMNS), bool)
INSIDE[2:5] = BALL
BAND = np.zeros_like(INSIDE)
BAND[3, 18:24] = True
CONTENT = ScrollContent(
    title="CT, 7 slices",
    volume=VOLUME,
    presets=(
        Preset("file", Window(50, 350, "linear")),
        Preset("brain", BRAIN),
        Preset("lung", LUNG),
        *(Preset(f"other {k}", Window(k, 100)) for k in range(9)),
        Preset("bone", BONE),
    ),
    preset=2,
    start=START,
)
WITH_MASKS = replace(CONTENT, overlays=(Overlay("ball", INSIDE), Overlay("band", BAND)))


@pytest.fixture
def look(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """look(content, **of the context) -> the open page, its first picture on the screen."""
    contexts, said, asked = [], [], []

    def opened(
        content: ScrollContent,
        spoil: Callable[[bytes], bytes] = bytes,
        address: str = "",
        **of: Any,
    ) -> Any:
        path = tmp_path / "page.html"
        write_scroll_page(path, content, 10**8)
        path.write_bytes(spoil(path.read_bytes()))
        contexts.append(browser.new_context(**{"viewport": {"width": 1100, "height": 800}, **of}))
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri() + address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []
    assert [url.partition("#")[0].rpartition("/")[2] for url in asked] == ["page.html"] * len(
        contexts
    )


@pytest.fixture
def shown(look: Open) -> Open:
    """The same, when the first picture is there."""

    def opened(content: ScrollContent = CONTENT, **of: Any) -> Any:
        page = look(content, **of)
        until(page, "window.wetread && window.wetread.firstPictureMs > 0")
        return page

    return opened


def until(page: Any, condition: str) -> None:
    """Wait for a condition: asked from here, as the page lets nothing be evaluated inside it."""
    for _ in range(1000):
        if page.evaluate(f"Boolean({condition})"):
            return
        page.wait_for_timeout(10)
    raise AssertionError(condition)


def settled(page: Any) -> None:
    """Wait until the wanted slice is on the screen, as it shall be."""
    page.evaluate(
        """async () => { const { viewer } = window.wetread;
        do { await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
        } while (viewer.shown !== viewer.number || viewer.frame); }"""
    )


def number(page: Any) -> int:
    settled(page)
    return int(page.evaluate("window.wetread.viewer.number"))


def window_of(page: Any) -> Window:
    settled(page)
    told = page.evaluate("window.wetread.viewer.window")
    return Window(told["center"], told["width"], told["curve"])


def pixels(page: Any) -> np.ndarray:
    """(rows, columns, 3) of the picture, a pixel a voxel."""
    settled(page)
    told = page.evaluate(
        """() => { const { picture } = window.wetread.viewer; const { width, height } = picture;
        return [...picture.getContext("2d").getImageData(0, 0, width, height).data]; }"""
    )
    return np.array(told, int).reshape(ROWS, COLUMNS, 4)[..., :3]


def expected(k: int, window: Window) -> np.ndarray:
    grey = as_uint8(apply_window(VOLUME.hu[k], window)).astype(int)
    return np.repeat(grey[..., None], 3, axis=2)


def assert_shows(page: Any, k: int, window: Window) -> None:
    assert np.abs(pixels(page) - expected(k, window)).max() <= 1


def middle(page: Any) -> tuple[float, float]:
    box = page.locator("#screen").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Any, across: float, down: float, button: str = "left") -> None:
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    page.mouse.move(x + across, y + down, steps=3)
    page.mouse.up(button=button)


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
    nowhere = Place(
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


def on_screen(page: Any, *points: tuple[float, float]) -> list[tuple[float, float]]:
    """Points (column, row) of the picture, as the mouse finds them."""
    told = page.evaluate(
        """(points) => { const { scale, corner, canvas } = window.wetread.viewer;
        const box = canvas.getBoundingClientRect();
        return points.map(([column, row]) => [box.left + corner[0] + column * scale[0],
                                              box.top + corner[1] + row * scale[1]]); }""",
        points,
    )
    return [(x, y) for x, y in told]


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
    """What the last mark says, a line each."""
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
    nowhere = Place(
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
