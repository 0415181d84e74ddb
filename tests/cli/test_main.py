"""tests/cli/test_main.py: the commands as processes: exit codes, one line an error, JSON alone."""

import json
import os
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest
from polars.testing import assert_frame_equal
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import BasicTextSRStorage, ExplicitVRLittleEndian
from sklearn.metrics import log_loss

from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.tasks import find_task

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
    report.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
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


def test_score_is_scikit_learns_weighted_log_loss_of_clipped_probabilities(
    wetread: Wetread, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    truth = pl.read_csv(phantoms.labels)
    rng = np.random.default_rng(11)
    said = rng.random(truth.height)
    said[:3] = 0.0, 1.0, 1 - 1e-9
    said[rng.integers(0, truth.height, 40)] = 1 - 1e-9
    said[rng.integers(0, truth.height, 5)] = 0.0
    said[rng.integers(0, truth.height, 5)] = 1.0
    submission = tmp_path / "s.csv"
    order = rng.permutation(truth.height)
    truth.with_columns(Label=pl.Series(said))[order].write_csv(submission)
    words = ("score", "hemorrhage", "--truth", phantoms.labels, "--submission", submission)
    done = wetread(*words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["missing"], told["too_many"]) == ([], [])
    value = {(row["metric"], row["finding"]): row["value"] for row in told["scores"]}
    weight = np.where(truth["ID"].str.ends_with("_any").to_numpy(), 2.0, 1.0)
    expected = log_loss(truth["Label"], np.clip(said, 1e-15, 1 - 1e-15), sample_weight=weight)
    assert expected > 0.9
    assert value["weighted_log_loss", "all"] == pytest.approx(expected, rel=0, abs=1e-9)
    names = truth["ID"].str.split("_").list.last()
    for finding in find_task("hemorrhage").findings:
        own = (names == finding.name).to_numpy()
        alone = log_loss(
            truth["Label"].to_numpy()[own], np.clip(said[own], 1e-15, 1 - 1e-15), labels=[0, 1]
        )
        assert value["log_loss", finding.name] == pytest.approx(alone, rel=0, abs=1e-9)


@pytest.mark.timeout(300)
def test_train_evaluate_and_predict_follow_each_other_in_80_columns(
    wetread: Wetread, here: Wetread, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    words = ["--data", phantoms.images, "--labels", phantoms.labels, "--epochs", 1, "--folds", 2]
    for setting in ("size=32", "threads=1", "batch_size=16"):
        words += ["--set", setting]
    trained = wetread("train", "hemorrhage", *words, "-o", run, "--workers", 1)
    assert (trained.returncode, trained.stderr) == (0, "")
    number = phantoms.rows.height
    assert f"{number} images: {number} labelled, 0 without label" in trained.stdout
    assert "no patient shared" in trained.stdout
    assert narrow(trained.stdout)
    scored = here("evaluate", run, "--json")
    assert scored.stderr == ""
    assert json.loads(scored.stdout) == json.loads((run / "scores.json").read_text())
    cut = tmp_path / "archive"
    cut.mkdir()
    first, second = sorted(phantoms.images.iterdir())[:2]
    (cut / "whole.dcm").write_bytes(first.read_bytes())
    (cut / "cut.dcm").write_bytes(second.read_bytes()[:-100])
    told = here("predict", cut, "--run", run, "-o", out, "--workers", 1)
    assert (told.returncode, told.stderr) == (3, "")
    assert "2 studies, 1 image, 1 refused" in told.stdout
    assert "1 study read, 1 unread" in " ".join(told.stdout.split())
    assert "Research use only" in told.stdout
    assert narrow(told.stdout)
    assert pl.read_csv(out / "submission.csv").height == 12  # of the image that is cut, too


def test_ctrl_c_is_130_with_one_line_that_says_it_goes_on(
    here: Wetread, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*words: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("wetread.verbs.index.index", interrupted)
    done = here("index", archive, "-o", tmp_path / "i.parquet")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "wetread: stopped; the same command goes on where it was\n"


def test_phantom_writes_as_many_files_as_it_says(here: Wetread, tmp_path: Path) -> None:
    words = ("phantom", "hemorrhage", "-o", tmp_path, "--studies", 1, "--workers", 1, "--json")
    done = here(*words)
    assert (done.returncode, done.stderr) == (0, "")
    files = list((tmp_path / "stage_2_train").glob("*.dcm"))
    assert json.loads(done.stdout) == {"studies": 1, "images": len(files)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the identifiers are no legal UIDs, as in the real files
        assert pydicom.dcmread(files[0]).Modality == "CT"


def test_doctor_fits_the_terminal(here: Wetread) -> None:
    done = here("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert "FAILS" not in done.stdout
    assert done.stdout.count(" reads ") >= 10
    assert narrow(done.stdout)


def test_the_command_alone_shows_its_verbs(here: Wetread) -> None:
    done = here()
    assert done.returncode == 0
    assert "phantom" in done.stdout


def test_old_names_in_a_recipe_are_one_line_on_stderr(here: Wetread, tmp_path: Path) -> None:
    (tmp_path / "old.toml").write_text("learning_rate = 1e-3\n")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = here("train", "hemorrhage", "--data", tmp_path / "none", "-o", tmp_path / "run",
                    "--recipe", tmp_path / "old.toml")  # fmt: skip
    first, _ = done.stderr.splitlines()
    assert first.startswith("wetread: ")
    assert first.endswith("old.toml: old names of settings: learning_rate is now "
                          "optimizer.learning_rate")  # fmt: skip
