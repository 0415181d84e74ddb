"""tests/verbs/predict/test_page.py: the page of readings shows what the readings say, offline."""

import json
import re
import warnings
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pydicom
import pytest

from wetread.pages.readings_page import (
    ReadingsContent,
    Refusals,
    WorklistRow,
    write_readings_page,
)
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.verbs.predict import page as predict_page
from wetread.verbs.predict.predict import Prediction, predict
from wetread.verbs.predict.study_pictures import PICTURES
from wetread.verbs.train.train import TrainResult


class Outline(HTMLParser):
    """Addresses, ids and alternative texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.alts: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for key, value in attrs:
            told = {"id": self.ids, "src": self.addresses, "href": self.addresses, "alt": self.alts}
            if key in told:
                told[key].append(value or "")


def without_rescale(file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the identifiers are no legal UIDs, as in the real files
        data = pydicom.dcmread(file)
        del data.RescaleSlope, data.RescaleIntercept
        data.save_as(file)


@pytest.fixture(scope="module")
def archive(phantoms: PhantomTruth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four studies: one without any rescale, one with a file that is cut; a text lies beside."""
    folder = tmp_path_factory.mktemp("archive")
    for number in range(4):
        rows = phantoms.rows.filter(pl.col("study_number") == number)
        for z, image in enumerate(rows["image"]):
            file = folder / f"{image}.dcm"
            content = (phantoms.images / file.name).read_bytes()
            file.write_bytes(content[:-3000] if (number, z) == (1, 0) else content)
            if number == 0:
                without_rescale(file)
    (folder / "notes.txt").write_text("no DICOM")
    return folder


@pytest.fixture(scope="module")
def read(
    archive: Path, one_split: TrainResult, tmp_path_factory: pytest.TempPathFactory
) -> Prediction:
    """The four studies, the most urgent with a page to scroll it."""
    out = tmp_path_factory.mktemp("read") / "with 100% of <them>"
    return predict([archive], [one_split.run], out, scroll=1, workers=1)


@pytest.fixture(scope="module")
def page(read: Prediction) -> str:
    return (read.out / "page.html").read_text(encoding="utf-8")


def section(page: str, title: str) -> str:
    """From a heading to the end of its section."""
    return page[page.index(f"<h2>{title}") :].split("</section>")[0]


def test_the_page_asks_nothing_of_any_network_and_runs_no_script(page: str) -> None:
    outline = Outline(page)
    assert "script" not in outline.tags
    assert len(outline.ids) == len(set(outline.ids))
    policy = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy == [
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
        "form-action 'none'"
    ]
    assert not [one for one in outline.addresses if "//" in one.split(",")[0]]
    targets = [one[1:] for one in outline.addresses if one.startswith("#")]
    assert set(targets) <= set(outline.ids)


def test_the_worklist_on_the_page_is_that_of_the_table(read: Prediction, page: str) -> None:
    table = pl.read_csv(read.out / "worklist.csv")
    rows = re.findall(r"<tr><td class=\"study\">.*?</tr>", section(page, "Worklist"), re.DOTALL)
    told = [re.findall(r'class="id">([^<]+)<', row)[0] for row in rows]
    assert told == table["study_uid"].to_list()
    for row, line in zip(rows, table.iter_rows(named=True), strict=True):
        if line["state"] == "read":
            assert f"</span>{line['any']:.3f}</td>" in row
        assert f"<td>{line['slices']}</td><td>{line['rejects']}</td>" in row


def test_an_unread_study_stands_last_with_its_reason_and_no_number(
    read: Prediction, page: str
) -> None:
    last = re.findall(r"<tr><td class=\"study\">.*?</tr>", page, re.DOTALL)[-1]
    (unread,) = [one for one in read.readings if one.state == "unread"]
    assert unread.study_uid in last
    assert "unread: a CT without slope and intercept" in last
    assert not re.search(r"0\.\d{3}", last)


def test_the_first_sentence_holds_to_the_counts(read: Prediction, page: str) -> None:
    (lead,) = re.findall(r'<p class="lead">(.*?)</p>', page)
    rejects = pl.read_csv(read.out / "rejects.csv")
    refused = rejects.filter(pl.col("reason") != "not_dicom").height
    images = read.counts["images"]
    assert lead == (
        f"4 studies, {images} images: 3 studies read, 1 unread; {refused} files not read. "
        "1 file not DICOM."
    )
    heads = re.findall(r"<h3>(\d+) × ([a-z ]+):", page)
    by_reason = rejects.filter(pl.col("reason") != "not_dicom")["reason"].value_counts()
    assert {(int(count), reason) for count, reason in heads} == {
        (count, reason.replace("_", " ")) for reason, count in by_reason.iter_rows()
    }


def test_files_that_could_not_be_read_stand_there_with_their_whole_path(
    read: Prediction, page: str
) -> None:
    rejects = pl.read_csv(read.out / "rejects.csv")
    part = section(page, "What could not be read")
    told = re.findall(r"<code>([^<]+)</code>", part)
    assert set(told) <= set(rejects["path"])
    for (reason,), files in rejects.group_by("reason"):
        shown = 0 if reason == "not_dicom" else min(files.height, predict_page.FILES)
        assert len(set(told) & set(files["path"])) == shown
        more = files.height - shown
        assert (f"and {more} more in rejects.csv" in part) == (reason != "not_dicom" and more > 0)
    assert "notes.txt" not in page


def test_key_slices_are_pictures_with_place_sides_and_words_for_who_does_not_see(
    read: Prediction, page: str
) -> None:
    shown = section(page, "Key slices")
    keys = [uid for one in read.readings for uid in one.key_slices[:PICTURES]]
    assert len(keys) == 9
    assert all(f'<span class="id">{uid}</span>' in shown for uid in keys)
    alts = Outline(page).alts
    assert len(alts) == len(re.findall("data:image/jpeg;base64,", page)) >= 9
    for reading in read.readings:
        for key in reading.slices:
            if key.sop_instance_uid in reading.key_slices[:PICTURES]:
                # z counts from the lowest; the place is said from 1
                of = f"slice {key.z + 1} of {len(reading.slices)}, at {key.position_mm:.1f} mm"
                told = f"study {reading.study_uid}, {of}: any {key.probabilities['any']:.2f}"
                assert [alt for alt in alts if alt.startswith(told)]
    assert shown.count('class="side l" aria-hidden="true">R<') == len(alts)


def test_cautions_of_the_models_stand_at_the_head(page: str) -> None:
    assert '<span class="badge">learned from phantoms alone</span></h1>' in page
    assert "Learned from synthetic phantoms alone, from no patient." in page
    assert "Never scored on patients" in page
    text = re.sub('base64,[^"]+', "", page)
    assert text.index("Learned from synthetic phantoms alone") < text.index('class="lead"')


def test_cautions_stand_at_the_numbers_of_every_study(read: Prediction, page: str) -> None:
    words = "learned from phantoms alone, never scored on patients"
    cards = re.findall(r'<div class="said">(.*?)</div>', page)
    assert len(cards) == sum(bool(one.study) for one in read.readings)
    assert all(card.startswith(f'<span class="short">{words}:</span>') for card in cards)
    assert f"Every number here: {words}." in section(page, "Worklist")


def test_whether_a_study_is_like_what_was_learned_stands_in_the_worklist(
    read: Prediction, page: str
) -> None:
    """This run held out too few to know."""
    assert section(page, "Worklist").count("<td>not known</td>") == sum(
        bool(one.study) for one in read.readings
    )


def test_reading_and_page_lead_to_the_slice_in_the_page_to_scroll(
    read: Prediction, page: str
) -> None:
    first = max(read.readings, key=lambda one: one.study.get("any", -1.0))
    file = read.out / "readings" / f"{first.study_uid}.json"
    told = json.loads(file.read_text())
    assert list(told["links"]) == told["key_slices"]
    for uid, address in told["links"].items():
        path, fragment = address.split("#")
        assert (file.parent / path).is_file()
        assert fragment == f"sop={uid}"
        if uid in first.key_slices[:PICTURES]:
            assert f'href="{address.removeprefix("../")}"' in page
    others = [one for one in read.readings if one.study and one is not first]
    assert all(not one.links for one in others)
    commands = [unescape(one) for one in re.findall(r"<code>(wetread scroll [^<]+)</code>", page)]
    assert len(commands) == len(others)
    assert all(f"--series {one.series_uid} " in "".join(commands) for one in others)


def test_nothing_of_a_patient_stands_on_the_page(
    phantoms: PhantomTruth, archive: Path, page: str
) -> None:
    patients = phantoms.rows["patient"].unique().to_list()
    assert patients
    text = re.sub(r"base64,[^\"]+", "", page)
    assert not [one for one in patients if one in text]


def test_text_of_files_is_shown_and_obeyed_by_nobody(tmp_path: Path) -> None:
    row = WorklistRow(1, "<b>1\x1b[2J\u202e", "unread", "<i>", (None,), 0, 0, 0)
    content = ReadingsContent(
        "t", "s", "", (), ("any",), (row,), 3, (), (), {}, {"models": ["a", "b"]}
    )
    write_readings_page(tmp_path / "page.html", content)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;1\\x1b[2J" in text
    assert "\u202e" not in text
    assert "3 more studies stand in worklist.csv" in text
    assert "<dd>a, b</dd>" in text


def test_the_page_of_an_archive_without_studies_says_so(
    one_split: TrainResult, tmp_path: Path
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.txt").write_text("no DICOM")
    predict([tmp_path / "src"], [one_split.run], tmp_path / "out", workers=1)
    text = (tmp_path / "out" / "page.html").read_text()
    assert "0 studies, 0 images: 0 studies read, 0 unread; 0 files not read." in text
    assert "No study was given." in text


def test_only_the_most_urgent_studies_have_pictures(
    archive: Path, one_split: TrainResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict_page, "STUDIES", 1)
    read = predict([archive], [one_split.run], tmp_path / "out", workers=1)
    text = (tmp_path / "out" / "page.html").read_text()
    assert text.count('class="study-part"') == 1
    first = max(read.readings, key=lambda one: one.study.get("any", -1.0))
    assert f'<h3>1. <span class="id">{first.study_uid}</span>' in text


@pytest.fixture
def opened(browser: Any, read: Prediction) -> Iterator[Any]:
    """The page in a browser; nothing may have been asked for but pages, or have gone wrong."""
    said, asked = [], []
    context = browser.new_context(viewport={"width": 1100, "height": 800})
    tab = context.new_page()
    tab.set_default_timeout(20_000)
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto((read.out / "page.html").as_uri())
    yield tab
    context.close()
    assert said == []
    assert all(url.startswith("file:") for url in asked)


def test_a_picture_is_enlarged_by_the_keyboard_and_escape_closes_it(opened: Any) -> None:
    button = opened.locator(".picture button").nth(1)
    small = button.bounding_box()["width"]
    button.focus()
    opened.keyboard.press("Enter")
    assert opened.locator(".picture:popover-open").count() == 1
    assert button.bounding_box()["width"] > 3 * small
    opened.keyboard.press("Escape")
    assert opened.locator(".picture:popover-open").count() == 0
    assert button.bounding_box()["width"] == small


def test_the_link_of_a_key_slice_opens_the_page_to_scroll_at_that_slice(opened: Any) -> None:
    figure = opened.locator("figure", has=opened.locator("a", has_text="scroll to it")).nth(1)
    uid = figure.locator(".id").inner_text()
    figure.locator("a").click()
    opened.locator("#sop").wait_for()
    for _ in range(200):
        if opened.locator("#sop").inner_text() == uid:
            break
        opened.wait_for_timeout(50)
    assert opened.locator("#sop").inner_text() == uid


@pytest.mark.parametrize("width", [400, 1100])
def test_the_page_is_not_wider_than_the_window(opened: Any, width: int) -> None:
    opened.set_viewport_size({"width": width, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_what_is_the_same_of_many_files_is_said_once(tmp_path: Path) -> None:
    files = (("a.dcm", "no head"), ("b.dcm", "cut"), ("c.dcm", "no head"))
    refused = (Refusals("wrong_anatomy", "what the task reads is not in the pictures", 3, files),)
    content = ReadingsContent("t", "s", "", (), ("any",), (), 0, (), refused, {}, {})
    write_readings_page(tmp_path / "page.html", content)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    part = section(text, "What could not be read")
    assert part.count("no head") == 1
    assert re.findall(r"<code>([^<]+)</code>", part) == ["b.dcm", "a.dcm", "c.dcm"]
