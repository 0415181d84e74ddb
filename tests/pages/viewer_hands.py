"""tests/pages/viewer_hands.py: a volume of known values, and hands and eyes for its page."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from wetread.pages.scroll_page import Overlay, Preset, ScrollContent
from wetread.study.placement import SlicePlacement
from wetread.study.volume import Volume
from wetread.view.window import BONE, BRAIN, LUNG, Window, apply_window, as_uint8

SLICES, ROWS, COLUMNS = 7, 40, 64
START = 3
Open = Callable[..., Any]
POSITIONS = np.array([0.0, 5, 10, 15, 20, 35, 40]) - 12.5
PLACE = SlicePlacement(
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
