"""tests/test_library_types.py: a project that imports wetread is type-checked under mypy strict."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import wetread

ROOT = Path(__file__).parents[1]
pytest.importorskip("mypy", reason="needs mypy (extra dev)")

# Expression, and what mypy must reveal of it.
REVEALED = {
    'wetread.index("archive", "index.parquet")': "wetread.archive.index.index.Index",
    'wetread.index([Path("a"), "b.zip"], Path("i.parquet"))': "wetread.archive.index.index.Index",
    'wetread.pack("index.parquet", "store")': "wetread.store.store.Store",
    'wetread.train("hemorrhage", "archive", "run", labels="l.csv")': "TrainResult",
    'wetread.train("hemorrhage", "archive", "run", labels="l.csv").scores': "Scores",
    'wetread.evaluate("run")': "wetread.evaluation.score.Scores",
    'wetread.evaluate("run")[0]': "wetread.evaluation.score.Score",
    'wetread.predict("new", ["one", "two"], "out").readings[0]': "Reading",
    'wetread.score("hemorrhage", "truth.csv", "submission.csv").scores': "Scores",
    'wetread.export("png", "archive", "pictures", window="bsb")': "ExportResult",
    'wetread.read_volume("archive")': "wetread.study.volume.Volume",
    'wetread.read_slice("image.dcm")': "wetread.study.slices.Slice",
    'wetread.read_index("index.parquet").images': "DataFrame",
    'wetread.find_task("hemorrhage")': "wetread.tasks.task.Task",
    'wetread.read_run("run").scores.table': "DataFrame",
    "wetread.BRAIN": "wetread.view.window.Window",
    'wetread.apply_window(wetread.read_volume("a").hu, wetread.BRAIN)': "ndarray",
}
# A wrong call, and the code of the error that it must get.
WRONG = {
    'wetread.index(3, "index.parquet")': "arg-type",
    'wetread.index("archive", "index.parquet", worker=2)': "call-arg",
    'wetread.train("hemorrhage", "archive", "run", epochs="three")': "arg-type",
    'wetread.export("png", "archive", "pictures", windw="bsb")': "call-arg",
    'wetread.export("png", "archive", "pictures", size="large")': "arg-type",
    'wetread.predict("new", "run")': "call-arg",
    'wetread.Window(center_hu="40", width_hu=80)': "arg-type",
    'wetread.trane("hemorrhage")': "attr-defined",
    'wetread.evaluate("run")["scores"]': "call-overload",
}


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run mypy on each expression, in a project of its own; its words."""
    file = tmp_path_factory.mktemp("project") / "notebook.py"
    expressions = [*(f"reveal_type({one})" for one in REVEALED), *WRONG]
    file.write_text("\n".join(("from pathlib import Path", "import wetread", *expressions)))
    config = (
        "--config-file",
        str(ROOT / "pyproject.toml"),
        "--cache-dir",
        str(ROOT / ".mypy_cache"),
    )
    command = [sys.executable, "-m", "mypy", "--strict", *config, str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    lines: dict[int, str] = {}
    for found in re.finditer(r"notebook\.py:(\d+): (.*)", done.stdout):
        lines[int(found[1])] = f"{lines.get(int(found[1]), '')}{found[2]}\n"
    return {text: lines.get(number, "") for number, text in enumerate(expressions, start=3)}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("expression", "noun"), REVEALED.items())
def test_a_result_is_revealed_as_its_noun(
    messages: dict[str, str], expression: str, noun: str
) -> None:
    assert "Revealed type is" in messages[f"reveal_type({expression})"]
    assert noun in messages[f"reveal_type({expression})"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("expression", "code"), WRONG.items())
def test_a_wrong_call_is_rejected(messages: dict[str, str], expression: str, code: str) -> None:
    assert f"[{code}]" in messages[expression]


def test_every_public_name_is_there_for_readers_of_types_too() -> None:
    text = Path(str(wetread.__file__)).read_text("utf-8")
    typed = set(re.findall(r"\b(\w+) as \1\b", text))
    assert typed == set(wetread.__all__) - {"__version__"}
    for name in wetread.__all__:
        assert getattr(wetread, name) is not None
