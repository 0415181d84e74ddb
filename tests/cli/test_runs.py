"""tests/cli/test_runs.py: the commands of runs: exit codes, JSON, lines of 80 columns."""

import json
from pathlib import Path

import pytest
from tests.verbs.runs.conftest import SESSION, write_run
from typer.testing import CliRunner, Result

from wetread.cli.main import app
from wetread.cli.runs_text import seconds


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["runs", *map(str, words)])


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs and one that is damaged, below the working directory."""
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "all" / "first")
    other = SESSION | {"processor": "Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz", "seconds": 7263.0}
    write_run(tmp_path / "all" / "a-name-of-more-than-24-letters", skill=0.2, session=other)
    return tmp_path / "all"


def damage(top: Path) -> None:
    (write_run(top / "cut") / "about.json").write_text("{")


def test_a_folder_is_listed_with_or_without_the_word_list(top: Path) -> None:
    short, long = run("all"), run("list", "all")
    assert short.exit_code == long.exit_code == 0
    assert short.stdout == long.stdout
    assert all(len(line) <= 80 for line in short.stdout.splitlines())
    assert "2 runs: 2 finished" in short.stdout
    found = json.loads(run("--json", "all").stdout)["runs"]
    assert [row["run"] for row in found] == ["a-name-of-more-than-24-letters", "first"]
    scores = (
        f"{found[1][name]:.3f} {found[1][f'{name}_low']:.3f}-{found[1][f'{name}_high']:.3f}"
        for name in ("score", "auc")
    )
    assert "  ".join(scores) in short.stdout  # on one line


def test_no_run_is_a_failure_and_a_damaged_one_is_listed_and_counted(top: Path) -> None:
    (top.parent / "empty").mkdir()
    none = run("empty")
    assert (none.exit_code, none.stdout) == (1, "no run in empty\n")
    damage(top)
    found = run("all")
    assert found.exit_code == 3
    assert "damaged: all/cut/about.json" in " ".join(found.stdout.split())
    assert "3 runs: 2 finished, 1 damaged" in found.stdout
    assert run("export", "all", "-o", "runs.csv").exit_code == 3
    assert len(Path("runs.csv").read_text().splitlines()) == 4


def test_two_runs_are_compared_and_their_differences_listed(top: Path) -> None:
    second = top / "a-name-of-more-than-24-letters"
    compared = run("compare", "all/first", second)
    assert compared.exit_code == 0
    assert "48 images of 12 patients scored by both" in " ".join(compared.stdout.split())
    assert "roc_auc any by image: " in compared.stdout
    rows = json.loads(run("compare", "all/first", second, "--json").stdout)["comparisons"]
    assert rows[0]["differences"][0]["minus"] == str(second)
    told = run("diff", "all/first", second)
    assert "machine: 1 difference" in told.stdout
    assert "processor: A Processor -> Intel(R) Xeon(R)" in told.stdout
    assert set(json.loads(run("diff", "all/first", second, "--json").stdout)) >= {"recipe", "code"}


def test_a_page_is_written_and_says_where(top: Path) -> None:
    done = run("plot", "all", "-o", "curves.html")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "page: curves.html")
    assert Path("curves.html").read_text().startswith("<!doctype html>")


def test_the_help_of_the_group_names_its_commands(top: Path) -> None:
    told = run("--help")
    assert told.exit_code == 0
    for name in ("list", "compare", "diff", "plot", "export", "mirror"):
        assert f" {name} " in told.stdout


@pytest.mark.parametrize(
    ("count", "words"),
    [(41.6, "42 s"), (185, "3 min 5 s"), (7263, "2 h 1 min"), (59.7, "1 min 0 s")],
)
def test_a_duration_is_written_in_words(count: float, words: str) -> None:
    assert seconds(count) == words
