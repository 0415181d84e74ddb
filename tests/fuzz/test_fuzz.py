"""tests/fuzz/test_fuzz.py: a slice of `make fuzz`: a damaged file ends as a state, no more."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FUZZ = Path(__file__).with_name("fuzz.py")
MUTANTS = 150
MEMORY = 1 << 30  # bytes


def fuzz(*words: object) -> dict[str, Any]:
    command = [sys.executable, str(FUZZ), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == int(bool(found["findings"]))
    return found


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """200 damaged files of pydicom's set, and the hostile ones that take no time."""
    return fuzz("--mutants", MUTANTS, "--hostile", "light", "--seed", 11, "--ours", 36)


def test_no_damage_ends_a_process_or_raises_what_is_no_reject(told: dict[str, Any]) -> None:
    assert told["findings"] == []


def test_every_damaged_file_is_accounted_for_in_less_than_1_gib(told: dict[str, Any]) -> None:
    assert told["accounted"] == told["files"] > MUTANTS + 100
    assert told["ends"]["ours: named"] >= 10
    assert 0 < told["peak_bytes"] < MEMORY


def test_the_damage_reaches_headers_and_decoders(told: dict[str, Any]) -> None:
    ends = told["ends"]
    assert {"truncated_header", "bad_element", "too_deep", "too_big", "not_image"} <= set(ends)
    assert sum(count for end, count in ends.items() if end.startswith("pixels: ")) >= 10
    assert ends["read"] >= 10


@pytest.fixture
def changed_reader(tmp_path: Path) -> Path:
    """A copy of the fuzz whose reader dies of file 3 and fails with file 5."""
    for path in FUZZ.parent.glob("*.py"):
        (tmp_path / path.name).write_text(path.read_text())
    reader = (tmp_path / "reading.py").read_text()
    place = '            for line in header_lines(path, identifiers="show"):'
    faults = """            if number == 3:
                __import__("os").abort()
            if number == 5:
                raise IndexError("a fault")
"""
    assert reader.count(place) == 1
    (tmp_path / "reading.py").write_text(reader.replace(place, faults + place))
    return tmp_path / "fuzz.py"


def test_a_death_and_a_fault_are_findings_and_cost_no_other_file(changed_reader: Path) -> None:
    command = [
        sys.executable,
        str(changed_reader),
        "--first",
        "2",
        "--mutants",
        "4",
        "--hostile",
        "none",
        "--ours",
        "0",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    told = {one["number"]: one["finding"] for one in found["findings"]}
    assert set(told) == {3, 5}
    assert told[3].startswith("died with -6")
    assert told[5] == "IndexError: a fault"
    assert found["accounted"] == 3
