"""tests/pages/test_scroll_index.py: the list of a folder's pages, study by study."""

import re
from pathlib import Path

from wetread.pages.scroll_index import ListedPage, write_scroll_index


def test_every_page_is_linked_below_its_study_and_an_unread_series_says_why(tmp_path: Path) -> None:
    pages = [
        ListedPage("1.1", "a b.html", "CT head", 30, ("tilted", "single slice")),
        ListedPage("1.2", "c.html", "CT chest <thin>", 100),
        ListedPage("1.1", "d.html", "CT bone", 0, unread="decode_failed: cut"),
    ]
    path = write_scroll_index(tmp_path, pages)
    html = path.read_text("utf-8")
    assert path == tmp_path / "index.html"
    assert re.findall(r"<h2>Study ([^<]*)</h2>", html) == ["1.1", "1.2"]
    assert re.findall(r'href="([^"]*html)"', html) == ["a%20b.html", "c.html"]
    assert "tilted, single slice" in html
    assert "not read: decode_failed: cut" in html
    assert "CT chest &lt;thin&gt;" in html
    assert html.index("CT bone") < html.index("Study 1.2")


def test_a_study_without_a_uid_is_named_so(tmp_path: Path) -> None:
    html = write_scroll_index(tmp_path, [ListedPage("", "a.html", "MR", 1)]).read_text("utf-8")
    assert "Study without a UID" in html
    assert "Content-Security-Policy" in html
