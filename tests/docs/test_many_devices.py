"""tests/docs/test_many_devices.py: the example of several processes runs as it stands."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import wetread

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "many-devices.md"
EXAMPLE = re.compile(
    r"^ {4}((?:wetread phantom|torchrun --standalone --nproc-per-node=2) .*)$", re.M
)


def test_the_example_of_two_processes_trains_and_prints_once(tmp_path: Path) -> None:
    phantom, train = EXAMPLE.findall(PAGE.read_text("utf-8"))
    programs = Path(sys.executable).parent
    source = Path(wetread.__path__[0]).parent
    variables = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(source),
    }
    told = []
    for line in (phantom, train):
        done = subprocess.run(
            shlex.split(line), cwd=tmp_path, env=variables,
            capture_output=True, text=True, timeout=250, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told.append(done.stdout)
    assert told[1].count("run:  shared") == 1
    assert (tmp_path / "shared" / "page.html").is_file()
    recipe = json.loads((tmp_path / "shared" / "recipe.json").read_text())
    assert recipe["runtime"]["batch_parts"] == 2
