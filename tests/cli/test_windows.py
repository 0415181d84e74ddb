"""tests/cli/test_windows.py: `wetread windows`: table, values, page, and wrong use."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wetread.view.mode import MODES
from wetread.view.window import WINDOWS

Wetread = Callable[..., Any]


@pytest.mark.parametrize("hu", ["-1000,0,40", "-1000 0 40", " -1000, 0,40 "])
def test_values_are_json_and_nothing_else_and_negative_hu_are_numbers(
    here: Wetread, hu: str
) -> None:
    ended = here("windows", "--mode", "bsb", "--hu", hu, "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout) == {
        "mode": "bsb",
        "values": [
            {"hu": -1000, "value": [0, 0, 0]},
            {"hu": 0, "value": [0, 0.1, 0.2]},
            {"hu": 40, "value": [0.5, 0.3, 0.22]},
        ],
    }


def test_the_table_names_every_window_and_mode_in_80_columns(here: Wetread) -> None:
    ended = here("windows")
    assert ended.returncode == 0
    assert max(map(len, ended.stdout.splitlines())) <= 80
    told = ended.stdout.split()
    assert [name for name in (*WINDOWS, *MODES) if name not in told] == []
    listed = json.loads(here("windows", "--json").stdout)
    assert (list(listed["windows"]), list(listed["modes"])) == (list(WINDOWS), list(MODES))


def test_a_page_is_written_and_named(here: Wetread, archive: Path, tmp_path: Path) -> None:
    ended = here("windows", archive, "-o", tmp_path / "page.html", "--workers", 1, "--json")
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["modes"] == list(MODES)
    assert (tmp_path / "page.html").stat().st_size > 100_000


def test_a_page_of_an_archive_with_a_broken_file_is_done_with_something_refused(
    here: Wetread, archive: Path, tmp_path: Path
) -> None:
    broken = sorted(archive.iterdir())[0]
    broken.write_bytes(broken.read_bytes()[:300])
    ended = here("windows", archive, "-o", tmp_path / "page.html", "--workers", 1)
    assert ended.returncode == 3
    assert "1 file cannot be used" in ended.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--mode", "bsb"], "both --mode NAME and --hu LIST"),
        (["--hu", "0"], "both --mode NAME and --hu LIST"),
        (["--mode", "bsb", "--hu", "a,b"], "give numbers of HU"),
        (["--mode", "bsb", "--hu", "nan"], "give numbers of HU"),
        (["--mode", "bsp", "--hu", "0"], "no window 'bsp'; known: brain"),
        (["--mode", "metadata", "--hu", "0"], "give the file, --src FILE"),
        (["--mode", "bsb_slicewise", "--hu", "0"], "a HU alone has no value"),
        (["somewhere"], "-o PAGE.html"),
        (["here", "--src", "there", "-o", "x.html"], "two sources, here and --src there"),
    ],
)
def test_wrong_use_ends_with_2_and_says_what_to_do(
    here: Wetread, words: list[str], message: str
) -> None:
    ended = here("windows", *words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert message in ended.stderr
