"""tests/pages/test_scroll_page.py: what stands in the file, and in which order."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from wetread.outputs.sides import edge_letters
from wetread.pages.scroll_page import (
    Overlay,
    PageTooBigError,
    Preset,
    ScrollContent,
    write_scroll_page,
)
from wetread.study.issue import Issue
from wetread.study.placement import SlicePlacement
from wetread.study.volume import Volume
from wetread.view.window import BRAIN, LUNG

UNPLACED = SlicePlacement(
    np.full((5, 3), np.nan), np.full(6, np.nan), (np.nan, np.nan), np.full(5, np.nan)
)


def volume(place: SlicePlacement = UNPLACED) -> Volume:
    hu = np.random.default_rng(0).integers(-1024, 2000, (5, 8, 6)).astype(np.float32)
    return Volume(hu, place, ("",) * 5, (), np.arange(5.0))


def written(folder: Path, content: ScrollContent) -> str:
    size = write_scroll_page(folder / "page.html", content, 10**7)
    page = (folder / "page.html").read_bytes()
    assert len(page) == size
    return page.decode()


def described(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="series">(.*?)</script>', page)
    assert found is not None
    told: dict[str, object] = json.loads(found[1])
    return told


def content(**parts: object) -> ScrollContent:
    start: dict[str, object] = {
        "title": "CT",
        "volume": volume(),
        "presets": (Preset("brain", BRAIN), Preset("lung", LUNG)),
        "preset": 1,
        "start": 3,
    }
    return ScrollContent(**{**start, **parts})  # type: ignore[arg-type]


def test_the_first_slice_stands_before_the_script_and_the_rest_behind_by_nearness(
    tmp_path: Path,
) -> None:
    page = written(tmp_path, content())
    ids = [int(k) for k in re.findall(r'id="slice-(\d)"', page)]
    assert ids[0] == 3
    assert [abs(k - 3) for k in ids] == [0, 1, 1, 2, 3]
    assert page.index('id="slice-3"') < page.index("function start()")
    assert page.index("function start()") < page.index(f'id="slice-{ids[1]}"')


def test_nothing_is_fetched_and_the_page_forbids_it(tmp_path: Path) -> None:
    page = written(tmp_path, content())
    assert re.findall(r'(?:src|href)="([^"]*)"', page) == ["data:,"]
    assert "default-src 'none'" in page
    assert re.findall(r"https?:|fetch\(|XMLHttpRequest|import\(|url\(", page) == []


def test_what_is_not_known_of_the_place_is_null(tmp_path: Path) -> None:
    told = described(written(tmp_path, content()))
    assert (told["spacing"], told["alongRow"], told["letters"]) == (None, None, {})
    assert told["slices"] == [{"position": None, "origin": None}] * 5


def test_no_name_ends_the_script_or_becomes_an_element(tmp_path: Path) -> None:
    evil = "</script><b>x</b>"
    mask = Overlay(evil, np.zeros((5, 8, 6), bool))
    issue = Issue("gap", "<b>x</b>")
    page = written(tmp_path, content(title=evil, overlays=(mask,), issues=(issue,)))
    assert "<b>x</b>" not in page
    assert described(page)["masks"] == [{"name": evil, "colour": [255, 107, 87]}]


def test_issues_and_facts_stand_in_words_and_the_research_line_stands_always(
    tmp_path: Path,
) -> None:
    issue = Issue("mixed_shape", "2 x (6, 8)", "split into 2 stacks")
    page = written(tmp_path, content(issues=(issue,), facts=(("Kernel", "B30f"),)))
    assert "<b>mixed shape</b> 2 x (6, 8) <i>split into 2 stacks</i>" in page
    assert "<dt>Kernel</dt><dd>B30f</dd>" in page
    assert "<dt>Values</dt><dd>HU, exact</dd>" in page
    assert "Research use only, not for diagnosis" in page
    assert "Nothing unusual." in written(tmp_path, content())


def test_values_that_had_to_be_cut_say_how_far_they_may_lie_off(tmp_path: Path) -> None:
    hu = np.random.default_rng(0).normal(0, 1000, (1, 300, 300)).astype(np.float32)
    nan = np.full((1, 3), np.nan)
    place = SlicePlacement(nan, np.full(6, np.nan), (np.nan, np.nan), nan[:, 0])
    cut = Volume(hu, place, ("",), (), np.arange(1.0), "grey")
    page = written(tmp_path, content(volume=cut, start=0))
    said = re.search(r"<dd>grey, within ([\d.]+)</dd>", page)
    assert said is not None
    assert 0 < float(said[1]) <= np.ptp(hu) / 65535 / 2 * 1.1


def test_a_page_above_the_limit_is_refused_with_its_size_and_not_written(tmp_path: Path) -> None:
    size = write_scroll_page(tmp_path / "page.html", content(), 10**7)
    other = tmp_path / "other.html"
    with pytest.raises(PageTooBigError, match=r"other\.html: 5 slices .* `most_mb`"):
        write_scroll_page(other, content(), size - 1)
    assert not other.exists()
    assert write_scroll_page(other, content(), size) == size


@pytest.mark.parametrize(
    ("orientation", "left_right_top_bottom"),
    [
        ((1, 0, 0, 0, 1, 0), "R L A P"),  # axial, seen from the feet
        ((-1, 0, 0, 0, -1, 0), "L R P A"),
        ((0, 1, 0, 0, 0, -1), "A P H F"),  # sagittal
        ((1, 0, 0, 0, 0, -1), "R L H F"),  # coronal
        ((1, 0, 0, 0, 0.948, -0.317), "R L A P"),  # a tilt of 18.5 degrees
        ((0.8, 0.6, 0, -0.6, 0.8, 0), "RA LP AL PR"),  # turned by 37 degrees
    ],
)
def test_the_edges_name_the_sides_of_the_patient(
    orientation: tuple[float, ...], left_right_top_bottom: str
) -> None:
    letters = edge_letters(np.array(orientation))
    told = " ".join(letters[side] for side in ("left", "right", "top", "bottom"))
    assert told == left_right_top_bottom


def test_without_an_orientation_no_edge_is_named() -> None:
    assert edge_letters(np.full(6, np.nan)) == {}
