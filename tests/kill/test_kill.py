"""tests/kill/test_kill.py: the short form: verbs killed once, then called again."""

import json
import subprocess
import sys
from pathlib import Path


def test_a_verb_that_is_killed_and_called_again_writes_what_it_writes_undisturbed(
    tmp_path: Path,
) -> None:
    script = Path(__file__).parent / "kill.py"
    words = ["--verbs", "index", "export", "--times", "1", "--studies", "1"]
    done = subprocess.run(
        [sys.executable, script, *words, "--folder", tmp_path],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.stderr == ""
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["verb"] for one in told] == ["index", "export"]
    assert [one["differ"] for one in told] == [[], []]
    assert done.returncode == 0
