"""tests/cli/test_montage.py: `wetread montage`: picture, panels as JSON, wrong use."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2

from wetread.cli.examples import EXAMPLES
from wetread.phantoms.dicom.archive import PhantomTruth

Wetread = Callable[..., Any]


def test_findings_are_shown_by_a_label_file(
    here: Wetread, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    out = tmp_path / "m.png"
    ended = here(
        "montage", phantoms.images, "-o", out, "--layout", "findings", "--labels", phantoms.labels,
        "--task", "hemorrhage", "--window", "brain", "--window", "bsb", "--size", 64,
        "--workers", 1, "--json",
    )  # fmt: skip
    assert ended.returncode == 0
    told = json.loads(ended.stdout)
    assert (told["columns"], told["refused"], told["picture"]) == (2, 0, str(out))
    assert {"instance", "lines", "refused"} == set(told["panels"][0])
    picture = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert picture.shape[1:] == (2 * 64 + 4, 3)


def test_the_examples_of_the_help_run(
    here: Wetread, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    for example in EXAMPLES["montage"]:
        words = shlex.split(example)[2:]
        words[0], words[words.index("-o") + 1] = str(phantoms.images), str(tmp_path / "m.png")
        ended = here("montage", *words, "--size", 32, "--workers", 1)
        assert ended.returncode == 0, ended.stderr


def test_what_is_refused_is_told_and_ends_with_3(
    here: Wetread, archive: Path, tmp_path: Path
) -> None:
    broken = sorted(archive.iterdir())[0]
    broken.write_bytes(broken.read_bytes()[:300])
    ended = here("montage", archive, "-o", tmp_path / "m.png", "--size", 32, "--workers", 1)
    assert ended.returncode == 3
    assert "1 file cannot be used; wetread show" in ended.stdout


def test_wrong_use_ends_with_2(here: Wetread, archive: Path, tmp_path: Path) -> None:
    ended = here("montage", archive, "-o", tmp_path / "m.png", "--layout", "findings")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "give --labels FILE and --task NAME" in ended.stderr
    ended = here("montage", archive, "-o", tmp_path / "m.png", "--layout", "repair", "--workers", 1)
    assert ended.returncode == 1
    assert "no slice of" in ended.stderr
