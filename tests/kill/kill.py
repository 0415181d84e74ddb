"""tests/kill/kill.py: commands killed at random moments, and gone on with; python kill.py --help.

Of each verb an undisturbed run is kept. Then, so many times, the same command is killed with
SIGKILL at a random moment of the time it takes, and called again: its files must be those of the
undisturbed run, but for times and names of processes, and nothing may be left over.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wetread.phantoms.head.archive import write_head_archive

SMALL = [
    "--set",
    "size=32",
    "--set",
    "runtime.threads=1",
    "--set",
    "runtime.device=cpu",
    "--set",
    "runtime.readers=1",
]
VERBS: dict[str, list[str]] = {
    "index": ["index", "{archive}", "-o", "{out}/index.parquet"],
    "pack": ["pack", "{made}/index.parquet", "-o", "{out}/store"],
    "train": [
        *("train", "hemorrhage", "--data", "{archive}", "--labels", "{labels}", "-o", "{out}/run"),
        *("--epochs", "3", "--set", "checkpoint_every_steps=2", *SMALL),
    ],
    "predict": ["predict", "{archive}", "--run", "{made}/run", "-o", "{out}/read"],
    "export": ["export", "png", "{archive}", "-o", "{out}/png"],
    "segment": ["segment", "brain", "{archive}", "-o", "{out}/masks"],
}
TIMES = ("mtime_ns", "ctime_ns", "inode")
OF_SESSIONS = "machine.json"  # times alone, and a session more of what was killed
_SECONDS = re.compile(rb'"(seconds|seconds_[a-z]+)": [0-9.e-]+')


def command(verb: str, made: Path, out: Path) -> list[str]:
    """The words of a verb; made: what undisturbed runs wrote."""
    places = {"archive": made / "archive" / "stage_2_train", "made": made, "out": out}
    places["labels"] = made / "archive" / "stage_2_train.csv"
    words = [word.format(**places) for word in VERBS[verb]]
    return [sys.executable, "-m", "wetread", *words, "--workers", "2"]


def contents(out: Path) -> dict[str, str]:
    """Every file below out, by its name, as a digest of what it says; times left out."""
    found = [path for path in sorted(out.rglob("*")) if path.name != OF_SESSIONS]
    return {str(path.relative_to(out)): said(path, out) for path in found}


def said(path: Path, out: Path) -> str:
    """Return the content of a file without times and places."""
    if path.is_dir():
        return "folder"
    if path.suffix in (".parquet", ".sources", ".rejects"):
        frame = pl.read_parquet(path)
        told = frame.drop(TIMES, strict=False).write_json()
        return hashlib.sha256(told.replace(str(out), "").encode()).hexdigest()
    content = path.read_bytes().replace(str(out).encode(), b"")
    return hashlib.sha256(_SECONDS.sub(b"", content)).hexdigest()


def run(words: Sequence[str], kill_after: float | None = None) -> float:
    """Run a command; seconds it took. kill_after: seconds until it is killed."""
    began = time.monotonic()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            _, told = process.communicate(timeout=kill_after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return time.monotonic() - began
    if process.returncode not in (0, 3):
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}: {told.decode()}")
    return time.monotonic() - began


def differences(verb: str, made: Path, out: Path, after: float) -> list[str]:
    """List the files that differ from the undisturbed ones after a kill and a second call."""
    shutil.rmtree(out, ignore_errors=True)
    words = command(verb, made, out)
    run(words, kill_after=after)
    run(words)
    wanted, found = contents(made / verb), contents(out)
    names = sorted({*wanted, *found})
    return [name for name in names if wanted.get(name) != found.get(name)]


def prepare(made: Path, verbs: Sequence[str], studies: int, seed: int) -> dict[str, float]:
    """The archive, what other verbs need, and an undisturbed run of each verb; seconds of each."""
    write_head_archive(made / "archive", studies, seed, size=64, progress=lambda a, b: None)
    if "pack" in verbs:
        run(command("index", made, made))
    if "predict" in verbs:
        run(command("train", made, made))
    return {verb: run(command(verb, made, made / verb)) for verb in verbs}


def main() -> int:
    """Kill, go on, compare; one line a kill, exit code 1 where a file differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verbs", nargs="+", default=list(VERBS), choices=list(VERBS))
    parser.add_argument("--times", type=int, default=5, help="kills a verb")
    parser.add_argument("--studies", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True, help="a new folder to work in")
    asked = parser.parse_args()
    made, moments, failed = asked.folder / "made", random.Random(asked.seed), 0
    seconds = prepare(made, asked.verbs, asked.studies, asked.seed)
    for verb in asked.verbs:
        for _ in range(asked.times):
            after = moments.uniform(0.05, 1.0) * seconds[verb]
            found = differences(verb, made, asked.folder / "killed", after)
            failed += bool(found)
            told = {
                "verb": verb,
                "killed_after_s": round(after, 2),
                "of_s": round(seconds[verb], 2),
            }
            sys.stdout.write(json.dumps(told | {"differ": found[:10]}) + "\n")
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
