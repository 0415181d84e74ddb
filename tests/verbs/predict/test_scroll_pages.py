"""tests/verbs/predict/test_scroll_pages.py: urgent studies get a page, and links to key slices."""

from pathlib import Path

import polars as pl
import pytest

from wetread.prediction.reading import Reading
from wetread.verbs.predict import scroll_pages
from wetread.verbs.predict.scroll_pages import ScrollPages, link_scroll_pages, slice_links

IMAGES = pl.DataFrame(
    {"StudyInstanceUID": ["a", "b", "b"], "SeriesInstanceUID": ["as", "bs", "other"]}
)
READINGS = [
    Reading("a", "as", (), {"any": 0.2}, ("a.1",), {}),
    Reading("b", "bs", (), {"any": 0.9}, ("b.1", "b.2"), {}),
    Reading("c", "", (), {}, (), {}),  # unread
]


def test_an_address_holds_no_sign_that_ends_it() -> None:
    reading = Reading("a b", "", (), {"any": 0.5}, ("1.2#3/4", "x y"), {})
    assert slice_links(reading, "a b.html") == {
        "1.2#3/4": "../scroll/a%20b.html#sop=1.2%233%2F4",
        "x y": "../scroll/a%20b.html#sop=x%20y",
    }


def test_the_most_urgent_study_alone_has_a_page_of_the_series_that_judges_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def scroll(sources: list[Path], out: Path, **_: object) -> None:
        asked.append(pl.read_parquet(sources[0])["SeriesInstanceUID"].to_list())
        out.write_text("a page")

    monkeypatch.setattr(scroll_pages, "scroll", scroll)
    made, reasons = link_scroll_pages(READINGS, tmp_path, ScrollPages(IMAGES, "any", 1, 1))
    assert asked == [["bs"]]
    assert reasons == {}
    assert [one.study_uid for one in made] == ["a", "b", "c"]
    assert [bool(one.links) for one in made] == [False, True, False]
    assert list(made[1].links) == ["b.1", "b.2"]
    assert (tmp_path / "scroll" / "b.html").read_text() == "a page"


def test_a_study_whose_page_to_scroll_cannot_be_made_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(sources: list[Path], out: Path, **_: object) -> None:
        raise ValueError(f"{out}: 900 MB, larger than 500 MB; take fewer slices")

    monkeypatch.setattr(scroll_pages, "scroll", refuse)
    made, reasons = link_scroll_pages(READINGS, tmp_path, ScrollPages(IMAGES, "any", 2, 1))
    assert [dict(one.links) for one in made] == [{}] * 3
    assert reasons == dict.fromkeys(("b", "a"), "900 MB, larger than 500 MB; take fewer slices")
    assert not list(tmp_path.rglob("*.html"))
