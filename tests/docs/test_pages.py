"""tests/docs/test_pages.py: what the site makes from the code is complete."""

import json
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

import wetread
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.rejects import REASONS
from wetread.cli.main import app
from wetread.models.encoders import ENCODERS
from wetread.prediction.reading import unread_reading
from wetread.tasks import TASKS
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import recipe_names

ROOT = Path(__file__).parents[2]


def test_every_command_and_option_is_in_the_reference(hooks: ModuleType) -> None:
    page = hooks.commands_page()
    group = typer.main.get_command(app)
    sections = dict(re.findall(r"^## wetread ([\w ]+)\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    commands: dict[str, Any] = {}
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        commands |= {f"{name} {one}": c for one, c in inner.items()} if inner else {name: command}
    assert list(sections) == list(commands)
    for name, command in commands.items():
        options = [
            option
            for param in command.params
            if param.param_type_name == "option"
            for option in (*param.opts, *param.secondary_opts)
        ]
        assert options or name == "task show"
        for option in options:
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", sections[name]), option
        assert f"wetread {name}" in sections[name]


def test_every_public_name_is_in_the_reference_of_the_library(hooks: ModuleType) -> None:
    page = hooks.library_page()
    for name in set(wetread.__all__) - {"__version__"}:
        assert f"::: wetread.{name}\n" in page or f"| `{name}` |" in page, name


def test_a_schema_becomes_a_table_with_its_comments(hooks: ModuleType) -> None:
    table = hooks.schema_table("wetread.archive.index.schema", "INDEX_SCHEMA")
    assert "| `path` | text | absolute |" in table.splitlines()
    assert len(table.splitlines()) == 2 + len(INDEX_SCHEMA)
    reasons = hooks.schema_table("wetread.archive.rejects", "REASONS")
    assert f"| `empty` | {REASONS['empty']} |" in reasons.splitlines()


def test_a_key_has_the_comment_of_its_own_dictionary(hooks: ModuleType) -> None:
    source = """
A = {
    "x": 1,  # first
    "y": 2,  # both
}
B = {
    **A,
    "x": 3,  # second
}
"""
    assert hooks.comments_of(source, "A")["x"] == "first"
    assert hooks.comments_of(source, "B") == {"x": "second", "y": "both"}


def test_every_setting_of_a_recipe_is_in_its_table(hooks: ModuleType) -> None:
    table = hooks.recipe_table()
    assert "| `optimizer.beta1` | `0.9` |" in table
    assert "| `batch_size` | `32` | images a step |" in table.splitlines()
    fields = Recipe().model_dump()
    groups = [value for value in fields.values() if isinstance(value, dict)]
    assert table.count("\n| `") == len(fields) - len(groups) + sum(map(len, groups))


def test_every_setting_says_what_it_is(hooks: ModuleType) -> None:
    rows = hooks.recipe_table().splitlines()[2:]
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_recipe_of_the_package_is_listed_with_what_it_is_for(hooks: ModuleType) -> None:
    rows = hooks.recipes_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == recipe_names()
    assert [row for row in rows if len(row.split("|")[2].strip()) < 20] == []
    defaults = {row.split("`")[1] for row in rows if "The default of" in row}
    assert defaults == {task.recipe for task in TASKS.values()}


def test_every_network_is_listed_by_its_docstring(hooks: ModuleType) -> None:
    table = hooks.builder_table("wetread.models.encoders", "ENCODERS")
    rows = table.splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(ENCODERS)
    assert (
        "| `resnet18` | MONAI's ResNet-18 with random weights: 11.2 million parameters. |" in rows
    )


def test_every_key_of_a_reading_is_in_the_file_forms() -> None:
    page = (ROOT / "docs" / "reference" / "file-forms.md").read_text("utf-8")
    section = page.split("### A reading\n")[1].split("\n## ")[0]
    firsts = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = [key for first in firsts for key in re.findall(r"`(\w+)`", first)]
    keys = unread_reading("s", "other_modality", "images of MR", ("any",), {}).to_dict()
    assert sorted(named) == sorted(keys)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, hooks: ModuleType) -> Path:
    """The whole site, built as `make docs` builds it: a warning is an error."""
    pytest.importorskip("mkdocstrings", reason="needs mkdocstrings (extra docs)")
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(out)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return out


def test_the_site_is_built_without_a_warning(site: Path) -> None:
    assert (site / "index.html").is_file()
    named = {entry["location"].split("#")[0] for entry in json.loads(
        (site / "search" / "search_index.json").read_text("utf-8"))["docs"]}  # fmt: skip
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
             for path in (ROOT / "docs").rglob("*.md")}  # fmt: skip
    assert {"reference/commands.html", "reference/library.html", "notebook.html"} <= named
    assert pages - {"index.html"} <= named


def test_every_public_noun_and_function_has_its_docstring_on_the_site(site: Path) -> None:
    page = (site / "reference" / "library.html").read_text("utf-8")
    text = " ".join(unescape(re.sub(r"<[^>]+>", "", page)).split())
    for name in set(wetread.__all__) - {"__version__"}:
        value = getattr(wetread, name)
        if not name.isupper():
            assert f'id="wetread.{name}"' in page, name
            first = " ".join((value.__doc__ or "").strip().split("\n")[0].split()[:4])
            assert first.replace("`", "") in text, name


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not re.findall(r'(?:src|href)="https?://[^"]+\.(?:js|css|woff2?)"', page.read_text())
