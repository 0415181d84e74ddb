"""tests/cli/test_option_names.py: the library names arguments, the command line its options."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import wetread
from wetread.cli.main import COMMANDS, app
from wetread.cli.option_names import OPTIONS, name_options

SOURCE = Path(wetread.__file__).parent
# Texts that are a command line themselves, or what a file records of one.
COMMAND_LINES = {
    "inputs/patients.py",
    "verbs/doctor.py",
    "verbs/predict/study_pictures.py",
}
ARGUMENT = re.compile(r"`([a-z]\w*)(?:=[^`]*)?`")


def texts(path: Path) -> Iterator[str]:
    """Yield the strings of a module, docstrings apart; of an f-string its plain parts as one."""
    tree = ast.parse(path.read_text())
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = [part.value for part in node.values if isinstance(part, ast.Constant)]
            yield "X".join(str(part) for part in parts)


def rooms() -> list[Path]:
    return [path for path in SOURCE.rglob("*.py") if path.relative_to(SOURCE).parts[0] != "cli"]


def raised(path: Path) -> Iterator[str]:
    """Yield the strings in what a module raises."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Raise):
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("give the label file with `labels`", "give the label file with --labels"),
        ("`depth=16`; leave `neighbors` out", "--depth 16; leave --neighbors out"),
        ("say so: `as_hu`", "say so: --as-hu"),
        ("say so: `as_hu=True`", "say so: --as-hu"),
        ("`most_mb` or `every_series`", "--max-mb or --all"),
        ("as `openssl rand` or `nothing`", "as `openssl rand` or `nothing`"),
    ],
)  # fmt: skip
def test_an_argument_in_backticks_becomes_its_option(message: str, expected: str) -> None:
    assert name_options(message) == expected


def test_every_option_is_one_of_a_command() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    groups = [one.commands.values() for one in commands.values() if hasattr(one, "commands")]
    known = {
        option
        for command in (*commands.values(), *(inner for group in groups for inner in group))
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert {name: option for name, option in OPTIONS.items() if option not in known} == {}


def test_no_room_but_the_command_line_speaks_of_options() -> None:
    found = {
        (path.relative_to(SOURCE).as_posix(), text)
        for path in rooms()
        for text in texts(path)
        if re.search(r"(?<![\w-])--[a-z]", text)
    }
    assert {one for one in found if one[0] not in COMMAND_LINES} == set()


def test_every_argument_that_an_error_names_has_its_option() -> None:
    verbs = {name: getattr(wetread, name) for name in (command.__name__ for command in COMMANDS)}
    arguments = {name for verb in verbs.values() for name in inspect.signature(verb).parameters}
    named = {name for path in rooms() for text in raised(path) for name in ARGUMENT.findall(text)}
    assert named & arguments
    assert {name for name in named & arguments if name not in OPTIONS} == set()
