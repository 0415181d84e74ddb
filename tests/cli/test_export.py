"""tests/cli/test_export.py: `wetread export` says in stdout and exit code what it did."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from wetread.cli.export import spacing_of

Wetread = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker takes seconds to start; tests/verbs/test_export_workers.py has the workers."""
    monkeypatch.setattr(
        "wetread.verbs.export.parallel_map", lambda work, items, workers: map(work, items)
    )


def test_json_names_the_manifest_and_counts(here: Wetread, archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = here("export", "png", archive, "-o", out, "--window", "bsb", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert told["manifest"] == str(out / "manifest.csv")
    assert told["files"] == told["slices"] == len(list(out.rglob("*.png"))) > 0
    assert told["refused"] == 0


def test_a_refused_file_is_exit_code_3_and_names_the_table(
    here: Wetread, archive: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    first, second = (path.read_bytes() for path in sorted(archive.iterdir())[:2])
    (source / "whole.dcm").write_bytes(first)
    (source / "cut.dcm").write_bytes(second[:-100])
    done = here("export", "npy", source, "-o", tmp_path / "out")
    assert done.returncode == 3
    assert "1 refused" in done.stdout
    assert "rejects.csv" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bmp",), "no format 'bmp'; known: png, jpeg"),
        (("png", "--spacing", "1"), "--spacing is for npy, npz and nifti"),
        (("npy", "--spacing", "1,2"), "--spacing takes one number or three"),
        (("png", "--identifiers"), "give both"),
        (("png", "--window", "windy"), "no window 'windy'"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    words: tuple[str, ...], said: str, here: Wetread, tmp_path: Path
) -> None:
    format, *options = words
    done = here("export", format, tmp_path, "-o", tmp_path / "out", *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_spacing_is_one_number_or_three() -> None:
    assert spacing_of("1") == (1, 1, 1)
    assert spacing_of("5, 0.5,0.4") == (5, 0.5, 0.4)
