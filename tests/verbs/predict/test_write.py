"""tests/verbs/predict/test_write.py: all files of a prediction are written, the page last."""

import json
from pathlib import Path

import polars as pl
import pytest

from wetread.verbs.predict import write
from wetread.verbs.predict.read_archive import ReadArchive
from wetread.verbs.predict.write import WriteOptions, write_prediction

OPTIONS = WriteOptions(sample=None, scroll=0, page="page.html", workers=1)


def silent(step: str, done: int, total: int) -> None:
    """Reports nothing."""


def test_every_image_has_its_rows_and_what_has_no_answer_gets_the_prior(
    read_archive: ReadArchive, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    written = write_prediction(out, read_archive, OPTIONS, silent)
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert files == [
        "page.html", "probabilities.csv", "readings/1.7.json", "readings/1.99.json", "rejects.csv",
        "submission.csv", "worklist.csv",
    ]  # fmt: skip
    rows = dict(pl.read_csv(out / "submission.csv").rows())
    names = read_archive.names.image
    localizer = "1.9.1.0"  # an image of the study, of which nothing was read
    assert set(written.filled) == {f"{localizer}_{name}" for name in names}
    assert all(rows[f"{localizer}_{name}"] == 0.1 for name in names)
    assert len(rows) == 6 * len(names)
    answers = dict(
        zip(read_archive.store.slices["SOPInstanceUID"], read_archive.answers.image, strict=True)
    )
    assert rows["1.9.0.2_any"] == answers["1.9.0.2"][names.index("any")]
    kept = json.loads((out / "readings" / "1.7.json").read_text())
    assert kept == json.loads(json.dumps(written.readings[0].to_dict()))
    assert [reject.reason for reject in written.rejects] == ["localizer"]


def test_the_page_has_the_name_that_is_asked_for_and_follows_the_tables(
    read_archive: ReadArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_page(out: Path, inputs: object, name: str) -> None:
        assert (out / "submission.csv").is_file()
        (out / name).write_text("the page")

    monkeypatch.setattr(write, "write_predict_page", write_page)
    options = WriteOptions(sample=None, scroll=0, page="readings.html", workers=1)
    write_prediction(tmp_path / "out", read_archive, options, silent)
    assert (tmp_path / "out" / "readings.html").read_text() == "the page"
