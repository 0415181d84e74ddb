"""tests/cli/test_learn.py: the commands train, evaluate, predict and score."""

import json
import re
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss

from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.tasks import find_task

Wetread = Callable[..., subprocess.CompletedProcess[str]]
COLUMNS = 80


def narrow(text: str) -> bool:
    return all(len(line) <= COLUMNS for line in text.splitlines() if " /" not in line)


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
    for setting in ("size=32", "runtime.threads=1", "batch_size=16"):
        words += ["--set", setting]
    trained = wetread("train", "hemorrhage", *words, "-o", run, "--workers", 1)
    assert trained.returncode == 0
    # On a machine that is busy it takes more than a minute, and says where it is.
    assert all(re.fullmatch(r".+: \d+ of \d+", line) for line in trained.stderr.splitlines())
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


def test_a_submission_is_remapped_and_the_line_says_so(wetread: Wetread, tmp_path: Path) -> None:
    one, out = tmp_path / "one.csv", tmp_path / "out.csv"
    one.write_text("ID,Label\nx_any,0.32\n")
    done = wetread("blend", one, "-o", out, "--remap", "any=0.64")
    assert done.returncode == 0
    assert "re-mapped: any=0.64 became 0.5" in done.stdout
    assert out.read_text() == "ID,Label\nx_any,0.25\n"
    for wrong in (["any=x"], ["any=0.6", "--remap", "any=0.7"]):
        refused = wetread("blend", one, "-o", out, "--remap", *wrong)
        assert refused.returncode == 2
        assert "give FINDING=THRESHOLD, each finding once" in " ".join(refused.stderr.split())
