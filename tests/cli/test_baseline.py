"""tests/cli/test_baseline.py: the command baseline: a table, JSON, and one line an error."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from wetread.cli.baseline_text import table_lines
from wetread.evaluation.score import Score
from wetread.phantoms.dicom.archive import PhantomTruth

Wetread = Callable[..., subprocess.CompletedProcess[str]]
COLUMNS = 80


def scored(metric: str, finding: str, value: float | None) -> Score:
    return Score(metric, finding, "image", "out_of_fold", value, None, None, 9, 3)


def test_a_table_has_a_line_a_finding_and_baselines_as_columns() -> None:
    scores = [
        scored("dice_all_empty", "air", 0.75),
        *(scored(f"roc_auc_{n}", "air", v) for n, v in (("prior", 0.5), ("header", 0.625))),
        *(scored(f"roc_auc_{n}", "rib", v) for n, v in (("prior", None), ("header", 1.0))),
        scored("brier_prior", "air", 0.1),
    ]
    assert table_lines(scores) == [
        "roc_auc level      prior    header",
        "air     image      0.500     0.625",
        "rib     image          –     1.000",
        "dice of empty masks for all: air 0.750",
    ]


def test_baselines_are_printed_in_80_columns_and_as_json(
    here: Wetread, archive: Path, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    words = (
        "baseline", "hemorrhage", "--data", phantoms.images, "--labels", phantoms.labels,
        "--folds", 2, "--workers", 1, "-o", tmp_path / "floor",
    )  # fmt: skip
    done = here(*words, "--unseen", archive)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(len(line) <= COLUMNS for line in done.stdout.splitlines() if " /" not in line)
    heading = next(line for line in done.stdout.splitlines() if line.startswith("roc_auc"))
    assert heading.split() == ["roc_auc", "level", "prior", "position", "histogram", "header"]
    assert "10 unseen images read, 0 refused" in done.stdout
    assert done.stdout.count("submission:") == 4
    told = json.loads(here(*words, "--json").stdout)
    assert told["scores"] == json.loads((tmp_path / "floor" / "scores.json").read_text())["scores"]
    assert told["submissions"] == []


def test_wrong_use_is_one_line_that_names_the_option(
    here: Wetread, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    words = ("baseline", "hemorrhage", "--data", phantoms.images, "-o", tmp_path / "floor")
    for more, message in (
        (("--sample", "s.csv"), "give the images that it is of with --unseen"),
        ((), "give the label file with --labels"),
        (("--labels", phantoms.labels, "--folds", 90), "patients cannot fill 90 parts"),
    ):
        done = here(*words, *more)
        assert done.returncode == 2
        assert message in done.stderr
        assert len(done.stderr.splitlines()) == 1
