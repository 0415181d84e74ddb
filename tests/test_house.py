"""tests/test_house.py: what must stay true of the house: what loads what, who names a task."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import wetread
from wetread.tasks import TASKS

SOURCE = Path(wetread.__file__).parent
TESTS = Path(__file__).parent
BEFORE_MODELS = ("archive", "study", "labels", "store", "view", "anatomy")
COMMENTS = {".py": '"""', ".js": "// ", ".css": "/* ", ".j2": "{#- "}
TORCH_ROOM = SOURCE / "view" / "device.py"
WITHOUT_TORCH = (
    "wetread",
    "wetread.verbs.explore.explore",
    "wetread.verbs.index",
    "wetread.verbs.show",
    "wetread.verbs.pack",
    "wetread.verbs.scroll.scroll",
    "wetread.verbs.windows",
    "wetread.verbs.montage.montage",
    "wetread.view.window",
)


def test_nothing_before_models_imports_torch_but_the_one_file_named_for_it() -> None:
    rooms = [path for room in BEFORE_MODELS for path in (SOURCE / room).rglob("*.py")]
    assert len(rooms) > 20
    found = {p for p in rooms if re.search(r"^\s*(import|from) torch", p.read_text(), re.MULTILINE)}
    assert found == {TORCH_ROOM}


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_importing_a_light_module_loads_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", sorted(TASKS))
def test_no_code_outside_tasks_names_a_task(name: str) -> None:
    outside = [
        path
        for path in SOURCE.rglob("*.py")
        if "tasks" not in path.relative_to(SOURCE).parts and f'"{name}"' in path.read_text()
    ]
    assert outside == []


def test_no_code_outside_tasks_imports_a_task_s_own() -> None:
    """Others reach a task through its value: `wetread.tasks` and the type alone."""
    own = {path.stem for path in (SOURCE / "tasks").iterdir()} - {"__init__", "task", "__pycache__"}
    assert {"embolism", "hemorrhage", "pneumothorax"} <= own
    imports = [
        (path, module)
        for path in SOURCE.rglob("*.py")
        if not path.is_relative_to(SOURCE / "tasks")
        for node in ast.walk(ast.parse(path.read_text()))
        for module in imported_modules(node)
    ]
    assert len(imports) > 1000
    assert [
        (p, m) for p, m in imports if m.removeprefix("wetread.tasks.").split(".")[0] in own
    ] == []


def imported_modules(node: ast.AST) -> list[str]:
    """The modules that a statement imports, and what it takes from them as modules."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def test_every_file_says_in_its_first_line_which_file_it_is() -> None:
    files = [(path, SOURCE) for path in SOURCE.rglob("*")]
    files += [(path, TESTS.parent) for path in TESTS.rglob("*")]
    told = [(path, root) for path, root in files if path.suffix in COMMENTS]
    assert {path.suffix for path, _ in told} == set(COMMENTS)
    for path, root in told:
        first = path.read_text().split("\n", 1)[0]
        opening = COMMENTS[path.suffix]
        assert first.startswith(opening), path
        if path.name not in ("__init__.py", "__main__.py"):
            named = f"{opening}{path.relative_to(root).as_posix()}: "
            assert first.removeprefix(named) not in (first, ""), path


def test_every_verb_is_handed_out_by_the_package() -> None:
    assert {"index", "pack", "train", "evaluate", "predict", "score"} <= set(wetread.__all__)
    with pytest.raises(AttributeError, match="no verb or noun 'trane'"):
        _ = getattr(wetread, "trane")  # noqa: B009 mypy knows that there is none


def test_tables_are_read_through_the_one_door_that_takes_a_path_as_it_is_written() -> None:
    direct = re.compile(r"\b(?:pl|polars)\.(?:read|scan)_\w+\(|\.sink_parquet\(")
    found = {p for p in SOURCE.rglob("*.py") if direct.search(p.read_text())}
    assert found == {SOURCE / "archive" / "files" / "table_file.py"}
