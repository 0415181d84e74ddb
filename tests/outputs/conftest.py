"""tests/outputs/conftest.py: readings as a model would give them, pages to scroll in a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from viewer_hands import CONTENT, Open, until

from wetread.archive.rejects import Reject
from wetread.outputs.scroll_page import ScrollContent, write_scroll_page
from wetread.prediction.reading import Reading, SliceReading
from wetread.study.issues import Issue


@pytest.fixture
def readings() -> list[Reading]:
    """Three studies: calm, urgent with an issue and a reject, and one that could not be read."""
    calm = Reading(
        "1.2.3",
        "1.2.3.1",
        (
            SliceReading("ID_a", 0, -5.0, {"lens": 0.01, "any": 0.02}),
            SliceReading("ID_b", 1, 0.0, {"lens": 0.02, "any": 0.03}),
        ),
        {"lens": 0.02, "any": 0.03},
        ("ID_b",),
        {"checkpoint": "best.pt"},
        findings=("lens", "any"),
    )
    urgent = Reading(
        "1.2.4",
        "1.2.4.1",
        (SliceReading("ID_c", 0, None, {"lens": 0.7, "any": 0.9}),),
        {"lens": 0.7, "any": 0.9},
        ("ID_c",),
        {"checkpoint": "best.pt"},
        (Issue("tilted", "8.0 degrees"),),
        (Reject("a.zip", "x.dcm", "truncated_pixels", "1 of 2 bytes, cut"),),
        2.5,
        ("lens", "any"),
    )
    unread = Reading(
        "1.2.5", "", (), {}, (), {}, (), (Reject("y.dcm", None, "empty", "no bytes"),), None,
        ("lens", "any"), reason="empty", detail="no bytes",
    )  # fmt: skip
    return [calm, unread, urgent]


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
    """Open a page and wait for its first picture."""

    def opened(content: ScrollContent = CONTENT, **of: Any) -> Any:
        page = look(content, **of)
        until(page, "window.wetread && window.wetread.firstPictureMs > 0")
        return page

    return opened
