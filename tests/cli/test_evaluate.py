"""tests/cli/test_evaluate.py: the command evaluate, with and without labels."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from wetread.tasks import find_task

Here = Callable[..., subprocess.CompletedProcess[str]]
NAMES = [finding.name for finding in find_task("hemorrhage").findings]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Probabilities of 24 images and their labels."""
    given, labels = ["level,id,finding,probability"], ["ID,Label"]
    for image in range(24):
        for name in NAMES:
            given.append(f"image,i{image},{name},{0.9 - image / 30}")
            labels.append(f"i{image}_{name},{int(image < 12)}")
    (tmp_path / "p.csv").write_text("\n".join(given))
    (tmp_path / "labels.csv").write_text("\n".join(labels))
    return tmp_path


def test_predictions_are_scored_against_labels(here: Here, files: Path) -> None:
    done = here("evaluate", files / "p.csv", "--labels", files / "labels.csv", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    area = {(one["metric"], one["finding"]): one["value"] for one in found["scores"]}
    assert area["roc_auc", "any"] == 1.0
    assert (files / "p-evaluation" / "page.html").is_file()


def test_two_predictions_are_compared(here: Here, files: Path) -> None:
    (files / "q.csv").write_text((files / "p.csv").read_text())
    words = ("evaluate", files / "p.csv", files / "q.csv", "--labels", files / "labels.csv")
    done = here(*words, "-o", files / "both")
    assert done.returncode == 0
    assert "p.csv minus q.csv, in pairs:" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if str(files) not in line)


def test_what_is_asked_of_predictions_is_refused_without_labels(here: Here, files: Path) -> None:
    done = here("evaluate", files, "-o", files / "out", "--threshold", 0.3)
    assert done.returncode == 2
    assert "--threshold, -o: of predictions alone, which need --labels or --readers" in done.stderr
    assert not (files / "out").exists()


def test_predictions_without_labels_are_no_run(here: Here, files: Path) -> None:
    (files / "readings").mkdir()
    (files / "p.csv").rename(files / "readings" / "probabilities.csv")
    for given in (files / "readings", files / "readings" / "probabilities.csv"):
        done = here("evaluate", given)
        assert done.returncode == 2
        assert "is no run; to score predictions give --labels or --readers" in done.stderr


def test_wrong_use_is_one_line(here: Here, files: Path) -> None:
    for words in (
        (files / "p.csv", files / "p.csv"),
        (files / "p.csv", files / "p.csv", files / "p.csv", "--labels", files / "labels.csv"),
    ):
        done = here("evaluate", *words)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
