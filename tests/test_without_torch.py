"""tests/test_without_torch.py: what only looks (index, show, export, scroll) needs no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from wetread.outputs.optional import LEARN

# As if the extra `learn` were not installed: its modules are not found. Commands come as JSON, one
# a line; what each ends with goes to stdout's last line.
WITHOUT = f"""
import json, sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {LEARN!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from wetread.cli.main import main

codes = []
for words in json.loads(sys.argv[1]):
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as end:
        codes.append(end.code or 0)
print(json.dumps(codes))
"""


def run(*commands: tuple[str | Path, ...]) -> tuple[list[int], str]:
    """Commands in one Python that has no torch: their exit codes, and stderr."""
    words = json.dumps([[str(word) for word in command] for command in commands])
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, words], capture_output=True, text=True, check=False
    )
    codes: list[int] = json.loads(done.stdout.splitlines()[-1])
    return codes, done.stderr


def test_verbs_that_learn_nothing_run_without_torch(tmp_path: Path) -> None:
    archive, index = tmp_path / "archive", tmp_path / "index.parquet"
    labels = archive / "stage_2_train.csv"
    commands = (
        ("phantom", "hemorrhage", "-o", archive, "--studies", "1", "--workers", "1"),
        ("index", archive, "-o", index),
        ("show", archive),
        ("explore", index, "--labels", labels, "-o", tmp_path / "explore.html"),
        ("pack", index, "-o", tmp_path / "store"),
        ("export", "png", index, "-o", tmp_path / "png"),
        ("scroll", index, "-o", tmp_path / "scroll.html"),
        ("montage", index, "-o", tmp_path / "montage.png"),
        ("windows", index, "-o", tmp_path / "windows.html"),
        ("score", "hemorrhage", "--truth", labels, "--submission", labels),
        ("blend", labels, labels, "-o", tmp_path / "blend.csv"),
        ("segment", "brain", archive, "-o", tmp_path / "brain"),
        ("doctor",),
    )
    codes, errors = run(*commands)
    assert codes == [0] * len(commands), errors
    for name in ("store", "png", "scroll.html", "montage.png", "windows.html", "blend.csv"):
        assert (tmp_path / name).exists(), name


def test_a_verb_that_learns_says_what_to_install(tmp_path: Path) -> None:
    commands = (
        ("train", "hemorrhage", "--data", tmp_path, "--labels", "x.csv", "-o", tmp_path / "run"),
        ("predict", tmp_path, "--run", tmp_path, "-o", tmp_path / "out"),
        ("evaluate", tmp_path),
        ("calibrate", tmp_path, "--data", tmp_path, "--labels", "x.csv", "-o", tmp_path / "new"),
        ("features", tmp_path, "--run", tmp_path, "-o", tmp_path / "features"),
    )
    codes, errors = run(*commands)
    assert codes == [2] * len(commands)
    lines = errors.splitlines()
    assert len(lines) == len(commands)
    assert all("pip install 'wetread[learn]'" in line for line in lines)
