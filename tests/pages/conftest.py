"""tests/pages/conftest.py: readings as a model would give them, pages to scroll in a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.pages.viewer_hands import CONTENT, Open, until

from wetread.pages.scroll_page import ScrollContent, write_scroll_page


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
