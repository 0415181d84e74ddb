"""tests/docs/test_examples.py: the examples of README, site and docstrings run as they stand."""

import doctest
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import typer

import wetread
from wetread.cli.main import app
from wetread.models.encoders import ENCODERS
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.tasks import TASKS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
COMMAND = re.compile(r"^ {4}(wetread [a-z].*)$", re.M)
NEEDS_A_SCHEDULER = "tcp://HOST"
SMALL: dict[str, Any] = {
    "epochs": 1,
    "settings": ("size=32", "batch_size=16", "runtime.threads=1", "runtime.device=cpu"),
}


def commands() -> Iterator[tuple[str, str]]:
    """(page, command) of every example of a command line."""
    for page in PAGES:
        for line in COMMAND.findall(page.read_text("utf-8")):
            yield page.name, re.split(r" {3,}|  #", line)[0]


def blocks() -> Iterator[tuple[str, str]]:
    """(page, code) of every example in Python."""
    for page in PAGES:
        for code in PYTHON.findall(page.read_text("utf-8")):
            yield page.relative_to(ROOT).as_posix(), code


@pytest.mark.parametrize(("page", "line"), sorted(set(commands())))
def test_a_command_of_the_docs_is_one_that_there_is(page: str, line: str) -> None:
    words = shlex.split(line)[1:]
    words = ["a" if word.isupper() or word.endswith("...") else word for word in words]
    group = typer.main.get_command(app)
    command = group.commands[words[0]]  # type: ignore[attr-defined]
    if hasattr(command, "commands"):
        words = words[1:]
        command = command.commands[words[0]]
    assert command.make_context(words[0], words[1:]).params


@pytest.fixture(scope="module")
def work(phantoms: PhantomTruth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the examples name: an archive with its labels, an index, new studies."""
    folder = tmp_path_factory.mktemp("work")
    shutil.copytree(phantoms.images.parent, folder / "archive")
    first = sorted(phantoms.images.rglob("*.dcm"))[:12]
    for path in first:
        (folder / "more").mkdir(exist_ok=True)
        shutil.copy(path, folder / "more")
    shutil.make_archive(str(folder / "new"), "zip", folder / "more")
    wetread.index(folder / "archive", folder / "index.parquet", workers=1)
    labels = (folder / "archive" / "stage_2_train.csv").read_text().splitlines()[1:]
    values: dict[str, dict[str, str]] = {}
    for line in labels:
        key, value = line.split(",")
        image, _, finding = key.rpartition("_")
        values.setdefault(image, {})[finding] = value
    rows = [f"{image},{of['any']},{of['subdural']}" for image, of in values.items()]
    (folder / "mine.csv").write_text("\n".join(["image,any,subdural", *rows]) + "\n")
    return folder


@pytest.mark.parametrize(("page", "code"), list(blocks()))
def test_a_python_example_runs(
    page: str, code: str, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = compile(code, page, "exec")
    if NEEDS_A_SCHEDULER in code:
        return
    for path in work.iterdir():
        os.symlink(path, tmp_path / path.name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wetread, "train", partial(wetread.train, workers=1, **SMALL))
    with patch.dict(TASKS), patch.dict(ENCODERS):  # an example may add a row
        exec(compiled, {"__name__": "__main__"})


def with_examples() -> list[str]:
    """Modules of the package with a docstring that holds an example."""
    source = ROOT / "src"
    return [
        ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((source / "wetread").rglob("*.py"))
        if ">>> " in path.read_text("utf-8")
    ]


def test_there_are_examples_in_docstrings() -> None:
    assert {"wetread.view.window", "wetread.tasks"} <= set(with_examples())


@pytest.mark.parametrize("module", with_examples())
def test_the_examples_of_a_docstring_run(
    module: str, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(work)
    failed, tried = doctest.testmod(import_module(module), optionflags=doctest.ELLIPSIS)
    assert tried > 0
    assert failed == 0
