"""tests/cli/test_newcomers.py: what somebody asks a command for who has not used it before."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import typer

import wetread
from wetread.cli.examples import EXAMPLES
from wetread.cli.main import COMMANDS, app
from wetread.tasks import TASKS
from wetread.training.recipe_file import recipe_names

Wetread = Callable[..., subprocess.CompletedProcess[str]]
VERBS = [command.__name__ for command in COMMANDS]
COLUMNS = 80


def completed(words: str) -> list[str]:
    """List what bash offers for the last word of a line."""
    told = os.environ | {
        "_WETREAD_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    code = "import sys; sys.argv = ['wetread']; from wetread.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=told, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_version_is_the_packages(here: Wetread) -> None:
    done = here("--version")
    assert (done.returncode, done.stdout) == (0, f"wetread {wetread.__version__}\n")


def test_the_shell_completes_verbs_tasks_recipes_and_organs(here: Wetread) -> None:
    assert "--install-completion" in here("--help").stdout  # which shell it is, it finds itself
    assert completed("wetread tr") == ["train"]
    assert completed("wetread score pneu") == ["pneumothorax"]
    assert completed("wetread train hemorrhage --recipe res") == ["resnet18"]
    assert sorted(completed("wetread segment b")) == ["body", "bone", "brain"]


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_every_verb_has_examples_and_fits_the_terminal(
    here: Wetread, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    told = here(verb, "--help").stdout
    assert all(len(line) <= COLUMNS for line in told.splitlines())
    flat = " ".join(told.split())
    for example in EXAMPLES[verb]:
        assert example in flat


@pytest.mark.parametrize("verb", VERBS)
def test_every_example_is_a_command_that_the_verb_takes(verb: str) -> None:
    command = typer.main.get_command(app).commands[verb]  # type: ignore[attr-defined]
    for example in EXAMPLES[verb]:
        program, named, *words = shlex.split(example)
        assert (program, named) == ("wetread", verb)
        command.make_context(verb, words)  # raises where an option or its value is not known


def test_the_help_of_train_lists_tasks_and_recipes(here: Wetread) -> None:
    flat = " ".join(here("train", "--help").stdout.split())
    assert f"Tasks: {', '.join(TASKS)}" in flat
    assert f"Recipes: {', '.join(recipe_names())}" in flat


@pytest.mark.parametrize("verb", ["predict", "scroll", "export", "segment"])
def test_sources_that_may_be_an_index_say_so(here: Wetread, verb: str) -> None:
    assert "one index (.parquet)" in " ".join(here(verb, "--help").stdout.replace("│", "").split())
    assert "one index" not in here("index", "--help").stdout


def test_an_index_does_not_stand_among_files(here: Wetread, archive: Path, tmp_path: Path) -> None:
    index = tmp_path / "i.parquet"
    assert here("index", archive, "-o", index).returncode == 0
    done = here("scroll", index, archive, "-o", tmp_path / "page.html")
    assert done.returncode == 2
    assert "i.parquet: an index stands alone" in done.stderr


def test_an_index_called_csv_is_csv(here: Wetread, archive: Path, tmp_path: Path) -> None:
    done = here("index", archive, "-o", tmp_path / "z.csv")
    assert done.returncode == 0
    table = pl.read_csv(tmp_path / "z.csv", infer_schema=False)
    assert table.height == 10
    assert set(table["file_path"]) == {str(path) for path in archive.iterdir()}
    assert pl.read_parquet(tmp_path / "z.parquet").height == 10
    flat = "".join(done.stdout.split())
    assert f"index:{tmp_path}/z.parquet" in flat
    assert f"table:{tmp_path}/z.csv" in flat


def test_an_index_of_another_ending_is_refused_before_anything_is_read(
    here: Wetread, archive: Path, tmp_path: Path
) -> None:
    done = here("index", archive, "-o", tmp_path / "z.json")
    assert done.returncode == 2
    assert "ends with .parquet, or with .csv" in done.stderr
    assert sorted(tmp_path.iterdir()) == [archive]


def test_one_file_is_one_file(here: Wetread, archive: Path, tmp_path: Path) -> None:
    for path in sorted(archive.iterdir())[1:]:
        path.unlink()
    told = here("index", archive, "-o", tmp_path / "one.parquet").stdout
    assert "1 file = 1 image + 0 other objects + 0 duplicates + 0 rejects" in told
    assert "1 patient, 1 study, 1 series" in told
    told = here("show", tmp_path / "one.parquet").stdout
    assert "1 file = 1 image" in told
    assert "1 patient, 1 study, 1 series" in told
    (archive / "text.txt").write_text("no image\n" * 100)
    assert "2 files = 1 image + 0 other objects + 0 duplicates + 1 reject" in (
        here("index", archive, "-o", tmp_path / "two.parquet").stdout
    )
    told = here("pack", tmp_path / "one.parquet", "-o", tmp_path / "store", "--workers", 1).stdout
    assert told.startswith("1 slice, 0 rejects")


def test_doctor_tells_memory_disk_and_extras(here: Wetread) -> None:
    told = here("doctor").stdout
    assert " GB free of " in told
    assert f"free in {Path.cwd()}" in told
    for extra in ("pictures", "pretrained", "cluster"):
        assert f"extra   {extra}: " in told
