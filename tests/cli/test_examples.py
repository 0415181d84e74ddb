"""tests/cli/test_examples.py: help, its examples, and what the shell completes."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable

import pytest
import typer

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
