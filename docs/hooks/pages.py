"""docs/hooks/pages.py: the pages that are made from the code when the site is built.

reference/commands.md from the commands, reference/library.md from the public names of wetread,
reference/survey.md from those of wetread.survey, notebook.md from the notebook, project/*.md from
the files at the root; and in any page the tables of a schema, from the dictionary and its comments:

    <!-- schema MODULE NAME -->

the table of a recipe's settings, that of the recipes in the package, and that of the builders in a
dictionary, from their docstrings:

    <!-- recipe -->
    <!-- recipes -->
    <!-- builders MODULE NAME -->
"""

from __future__ import annotations

import ast
import inspect
import io
import json
import re
import tokenize
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.resources import files as package_files
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
SCHEMA = re.compile(r"^<!-- schema (?P<module>[\w.]+) (?P<name>\w+) -->$", re.MULTILINE)
BUILDERS = re.compile(r"^<!-- builders (?P<module>[\w.]+) (?P<name>\w+) -->$", re.MULTILINE)
RECIPE, RECIPES = "<!-- recipe -->", "<!-- recipes -->"
LINK = re.compile(r"\]\((?!https?:|#)(?P<target>[^)#\s]+)(?P<anchor>#[^)]*)?\)")
PROJECT = {"ARCHITECTURE.md": "architecture", "CONTRIBUTING.md": "contributing"}
PROJECT |= {"CHANGELOG.md": "changelog"}


def survey_page() -> str:
    """Return the reference of wetread.survey, of the file beside this one."""
    path = Path(__file__).with_name("survey.py")
    spec = spec_from_file_location("survey_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.survey_page())


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to the site."""
    pages = {
        "reference/commands.md": commands_page(),
        "reference/library.md": library_page(),
        "reference/survey.md": survey_page(),
        "notebook.md": notebook_page(ROOT / "docs" / "notebooks" / "first_steps.ipynb"),
    }
    for file, name in PROJECT.items():
        pages[f"project/{name}.md"] = project_page(ROOT / file)
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the table of a schema, of settings, recipes or builders, where a page asks for one."""
    if RECIPE in markdown:
        markdown = markdown.replace(RECIPE, recipe_table())
    if RECIPES in markdown:
        markdown = markdown.replace(RECIPES, recipes_table())
    markdown = BUILDERS.sub(lambda found: builder_table(found["module"], found["name"]), markdown)
    return SCHEMA.sub(lambda found: schema_table(found["module"], found["name"]), markdown)


# Commands


def commands_page() -> str:
    """Return the reference of the command line, from the commands themselves."""
    import typer

    from wetread.cli.main import app

    group: Any = typer.main.get_command(app)
    context = group.make_context("wetread", [], resilient_parsing=True)
    lines = ["# Command line", "", _sentence(group.help), "", _sentence(group.epilog), ""]
    commands = _flat(group)
    lines += [
        f"- [`wetread {name}`](#wetread-{name.replace(' ', '-')}): {_sentence(command.help)}"
        for name, command in commands.items()
    ]
    lines += ["", "Options of `wetread` itself:", "", *_parameters(group, context)]
    for name, command in commands.items():
        lines += ["", *_command(name, command, context)]
    return "\n".join(lines) + "\n"


def _flat(group: Any, before: str = "") -> dict[str, Any]:
    """Return all commands by name, those of a group after the group's."""
    found = {}
    for name, command in group.commands.items():
        found |= (
            _flat(command, f"{before}{name} ")
            if hasattr(command, "commands")
            else {before + name: command}
        )
    return found


def _command(name: str, command: Any, parent: Any) -> Iterator[str]:
    from wetread.cli.examples import EXAMPLES

    examples = EXAMPLES.get(name) or (command.epilog.removeprefix("Example: "),)
    context = type(parent)(command, info_name=name, parent=parent)
    given = [
        _record(param, context)[0].split(" ")[0]
        for param in command.get_params(context)
        if param.param_type_name == "argument"
    ]
    yield f"## wetread {name}"
    yield ""
    yield _sentence(command.help)
    yield ""
    yield f"    {' '.join(['wetread', name, *given, '[OPTIONS]'])}"
    yield ""
    yield from _parameters(command, context)
    yield ""
    yield "Examples:"
    yield ""
    yield from (f"    {line}" for line in examples)


def _parameters(command: Any, context: Any) -> Iterator[str]:
    yield "| argument or option | meaning |"
    yield "|---|---|"
    for param in command.get_params(context):
        names, meaning = _record(param, context)
        yield f"| `{_cell(names)}` | {_cell(meaning)} |"


def _record(param: Any, context: Any) -> tuple[str, str]:
    """Return what the help says of a parameter: its names and value, its meaning."""
    names, meaning = param.get_help_record(context)
    return str(names), re.sub(r" +(\[[^\]]*\])$", r" `\1`", str(meaning))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _sentence(text: str | None) -> str:
    return inspect.cleandoc(text or "").replace("\n", " ")


# Library


def library_page() -> str:
    """Return the reference of the library: every public name, from its docstring."""
    import wetread

    lines = ["# Library", "", inspect.cleandoc(wetread.__doc__ or "").split("\n\n", 1)[-1], ""]
    for heading, homes in wetread.PUBLIC.items():
        lines += [f"## {heading}", ""]
        values = {name: getattr(wetread, name) for name in sorted(homes, key=str.casefold)}
        constants = {name: value for name, value in values.items() if name.isupper()}
        if constants:
            lines += ["| name | value |", "|---|---|"]
            lines += [f"| `{key}` | {_cell(_value(value))} |" for key, value in constants.items()]
        for name in (name for name in values if name not in constants):
            lines += [f"::: wetread.{name}", ""]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    """Return a constant in a few words: the names that a table holds, or the value."""
    if isinstance(value, Mapping):
        return ", ".join(f"`{name}`" for name in value)
    return f"`{value!r}`"


# Tables of schemas


def schema_table(module: str, name: str) -> str:
    """Return a dictionary of columns, or of words and their meaning, as a table."""
    values: Mapping[str, object] = getattr(import_module(module), name)
    comments = comments_of(Path(str(import_module(module).__file__)).read_text("utf-8"), name)
    if all(isinstance(value, str) for value in values.values()):
        rows = [f"| `{key}` | {_cell(str(value))} |" for key, value in values.items()]
        return "\n".join(["| name | meaning |", "|---|---|", *rows])
    rows = [
        f"| `{key}` | {str(value).replace('String', 'text')} | {_cell(comments.get(key, ''))} |"
        for key, value in values.items()
    ]
    return "\n".join(["| column | type | is |", "|---|---|---|", *rows])


def recipe_table() -> str:
    """Return every setting of a recipe by its dotted name, with its default and its comment."""
    from wetread.training import recipe

    comments = field_comments(inspect.getsource(recipe))
    rows = []
    for name, default in recipe.Recipe().model_dump().items():
        if not isinstance(default, dict):
            rows.append((name, default, comments["Recipe", name]))
            continue
        group = type(getattr(recipe.Recipe(), name)).__name__
        rows += [(f"{name}.{key}", value, comments[group, key]) for key, value in default.items()]
    lines = (f"| `{name}` | `{json.dumps(value)}` | {_cell(text)} |" for name, value, text in rows)
    return "\n".join(["| setting | default | is |", "|---|---|---|", *lines])


def recipes_table() -> str:
    """Return every recipe in the package with the comment that its file begins with."""
    from wetread.tasks import TASKS
    from wetread.training.recipe_file import recipe_names

    first = {task.recipe: name for name, task in TASKS.items()}
    lines = ["| recipe | is |", "|---|---|"]
    for name in recipe_names():
        source = (package_files("wetread") / "recipes" / f"{name}.toml").read_text("utf-8")
        text = _opening_comment(source)
        text += f" *The default of {first[name]}.*" if name in first else ""
        lines.append(f"| `{name}` | {_cell(text)} |")
    return "\n".join(lines)


def _opening_comment(source: str) -> str:
    """Return the comment lines that a TOML file begins with, as one line."""
    lines = []
    for line in source.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    return " ".join(lines)


def builder_table(module: str, name: str) -> str:
    """Return a dictionary of builders, or of values with a builder, as a table of docstrings."""
    builders: Mapping[str, Any] = getattr(import_module(module), name)
    lines = ["| name | is |", "|---|---|"]
    for key, value in builders.items():
        text = inspect.getdoc(getattr(value, "build", value)) or ""
        text = " ".join(text.split("\n\n")[0].split()).removeprefix("Build ")
        lines.append(f"| `{key}` | {_cell(text)} |")
    return "\n".join(lines)


def field_comments(source: str) -> dict[tuple[str, str], str]:
    """Return the comment at each field of a module's classes, by class and field; "" without."""
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    return {
        (node.name, field.target.id): " ".join(
            comments[line]
            for line in range(field.lineno, (field.end_lineno or field.lineno) + 1)
            if line in comments
        )
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef)
        for field in node.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }


def comments_of(source: str, name: str) -> dict[str, str]:
    """Return the comment behind each `"key": value,` of a module-level dictionary; a key that it
    takes over from another dictionary of the module has the comment it has there."""
    own: dict[str, str] = {}
    others: dict[str, str] = {}
    tree = ast.parse(source)
    lines = next(
        range(node.lineno, (node.end_lineno or 0) + 1)
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and name
        in {getattr(t, "id", "") for t in getattr(node, "targets", [None])}
        | {getattr(getattr(node, "target", None), "id", "")}
    )
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        key = re.match(r'\s*"(\w+)":', token.line)
        if token.type == tokenize.COMMENT and key:
            into = own if token.start[0] in lines else others
            into.setdefault(key[1], token.string.lstrip("# "))
    return {**others, **own}


# The notebook and the files at the root


def notebook_page(path: Path) -> str:
    """Return a notebook as Markdown: its texts, and its code as blocks."""
    parts = []
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
    return "\n\n".join(parts) + "\n"


def project_page(path: Path) -> str:
    """Return a file of the root as a page, its links to other files led to their pages."""

    def led(found: re.Match[str]) -> str:
        target, anchor = found["target"], found["anchor"] or ""
        if target in PROJECT:
            return f"]({PROJECT[target]}.md{anchor})"
        return f"](../{target.removeprefix('docs/')}{anchor})"

    return LINK.sub(led, path.read_text("utf-8"))
