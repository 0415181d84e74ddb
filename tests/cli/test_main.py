"""tests/cli/test_main.py: the commands as processes: exit codes, one line an error, JSON alone."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, BasicTextSRStorage, ExplicitVRLittleEndian

import wetread

Wetread = Callable[..., subprocess.CompletedProcess[str]]
COLUMNS = 80


def write_report(path: Path) -> None:
    """A structured report: DICOM without pixels."""
    report = Dataset()
    report.SOPClassUID, report.SOPInstanceUID = BasicTextSRStorage, "1.2.3.4"
    report.StudyInstanceUID, report.SeriesInstanceUID, report.Modality = "1.2.5", "1.2.6", "SR"
    report.file_meta = FileMetaDataset()
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.file_meta.MediaStorageSOPClassUID = BasicTextSRStorage
    report.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
    report.save_as(path, enforce_file_format=True)


def narrow(text: str) -> bool:
    return all(len(line) <= COLUMNS for line in text.splitlines() if " /" not in line)


def test_done_is_0_and_json_stands_alone_on_stdout(
    wetread: Wetread, archive: Path, tmp_path: Path
) -> None:
    done = wetread("index", archive, "-o", tmp_path / "i.parquet", "--json")
    assert done.returncode == 0
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert (told["files"], told["instances"], told["by_reason"]) == (10, 10, {})
    plain = wetread("index", archive, "-o", tmp_path / "i.parquet")
    assert plain.stdout.startswith("10 files = 10 images + 0 other objects")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "scurvy", "--data", "{archive}", "-o", "{out}"], "there are: hemorrhage"),
        (["train", "hemorrhage", "--data", "{archive}", "-o", "{out}"], "--labels"),
        (["index", "{out}/nowhere", "-o", "{out}/i.parquet"], "nowhere does not exist"),
        (["index", "{archive}"], "'--out'"),
        (["index"], "ask wetread index -h"),
        (["indx"], "No such command 'indx'"),
        (["index", "{archive}", "-o", "{out}/i.parquet", "--workers", "0"], "--workers"),
        (["pack", "{out}/none.parquet", "-o", "{out}/store"], "wetread index SRC"),
        (["predict", "{archive}", "--run", "{archive}", "-o", "{out}"], "wetread train"),
        (["evaluate", "{archive}"], "has not ended"),
        (["score", "hemorrhage", "--truth", "{out}/t.csv", "--submission", "{out}/s.csv"], "t.csv"),
    ],
    ids=lambda value: None if isinstance(value, str) else " ".join(value[:2]),
)
def test_wrong_use_is_2_with_one_line_that_says_what_to_do(
    here: Wetread, archive: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    done = here(*(word.format(archive=archive, out=tmp_path / "out") for word in words))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("wetread: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


def test_something_refused_is_3_and_is_counted(
    wetread: Wetread, archive: Path, tmp_path: Path
) -> None:
    first = min(archive.iterdir())
    first.write_bytes(first.read_bytes()[:-100])
    done = wetread("index", archive, "-o", tmp_path / "i.parquet")
    assert done.returncode == 3
    assert "10 files = 9 images" in done.stdout
    assert "1  truncated_pixels" in done.stdout


@pytest.mark.timeout(200)
def test_broken_things_are_rejects_with_their_reasons_and_change_nothing_else(
    wetread: Wetread, archive: Path, tmp_path: Path
) -> None:
    wetread("index", archive, "-o", tmp_path / "before.parquet")
    before = pl.read_parquet(tmp_path / "before.parquet")
    whole = min(archive.iterdir()).read_bytes()
    broken = archive / "broken"
    broken.mkdir()
    (broken / "empty.dcm").write_bytes(b"")
    (broken / "text.dcm").write_text("not a DICOM file\n" * 100)
    (broken / "header.dcm").write_bytes(whole[: len(whole) - 2 * 64 * 64 - 60])
    (broken / "pixels.dcm").write_bytes(whole[:-100])
    (broken / "dangling").symlink_to(broken / "nothing")
    os.mkfifo(broken / "fifo")
    (broken / "loop").symlink_to(archive)
    write_report(broken / "report.dcm")
    done = wetread("index", archive, "-o", tmp_path / "after.parquet", "--json")
    assert done.returncode == 3
    assert done.stderr == ""
    rejects = pl.read_parquet(tmp_path / "after.rejects.parquet")
    assert {Path(path).name: why for path, why in rejects.select("path", "reason").rows()} == {
        "empty.dcm": "empty",
        "text.dcm": "not_dicom",
        "header.dcm": "truncated_header",
        "pixels.dcm": "truncated_pixels",
        "dangling": "dangling_link",
        "fifo": "not_file",
        "loop": "link_loop",
    }
    counts = json.loads(done.stdout)
    assert (counts["files"], counts["instances"]) == (18, 10)
    assert (counts["not_image"], counts["rejects"], counts["duplicates"]) == (1, 7, 0)
    after = pl.read_parquet(tmp_path / "after.parquet")
    assert_frame_equal(after.filter(pl.col("state") == "image"), before, check_exact=True)


def test_the_real_archive_is_96_files_93_images_27_series_and_3_that_are_no_dicom(
    wetread: Wetread, real_data: Path, tmp_path: Path
) -> None:
    done = wetread("index", real_data / "hemorrhage", "-o", tmp_path / "real.parquet", "--json")
    assert done.returncode == 0
    assert done.stderr == ""
    counts = json.loads(done.stdout)
    assert (counts["files"], counts["instances"], counts["series"]) == (96, 93, 27)
    assert counts["by_reason"] == {"not_dicom": 3}
    assert (counts["not_image"], counts["duplicates"], counts["rejects"]) == (0, 0, 3)


def test_ctrl_c_is_130_with_one_line_that_says_it_goes_on(
    here: Wetread, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*words: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("wetread.verbs.index.index", interrupted)
    done = here("index", archive, "-o", tmp_path / "i.parquet")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "wetread: stopped; the same command goes on where it was\n"


def test_the_command_alone_shows_its_verbs(here: Wetread) -> None:
    done = here()
    assert done.returncode == 0
    assert "phantom" in done.stdout


def test_version_is_the_packages(here: Wetread) -> None:
    done = here("--version")
    assert (done.returncode, done.stdout) == (0, f"wetread {wetread.__version__}\n")
