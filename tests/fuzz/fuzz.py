"""tests/fuzz/fuzz.py: damaged files through the index and the pixels, in a child that is watched.

    python tests/fuzz/fuzz.py --mutants 4000 --seed 0 --data FOLDER

Prints one JSON object; its `findings` are what must not be: a process that died, hung or took too
much memory, an exception that is no RejectError, a file that is not accounted for. Exit code 1
where there are any.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hostile import heavy_files, hostile_files
from mutants import mutant
from pydicom.data import get_testdata_files

BATCH = 100  # mutants a child
BATCH_S = 120  # a child that takes longer hangs
FILE_S = 10  # one file that takes longer is a finding
MEMORY = 1 << 30  # bytes over what the child holds once it has loaded everything
MOST_BYTES = 2 << 20  # of a file that is damaged: larger ones only take time
OURS = 1 << 40  # numbers from here on: damaged files of wetread's own (ours.py)


def seeds(data: Path | None) -> list[Path]:
    """The whole files that are damaged: pydicom's own, and the malformed and codecs of data."""
    folders = [data / "malformed", data / "codecs"] if data else []
    found = [Path(path) for path in get_testdata_files()]
    found += [path for folder in folders if folder.is_dir() for path in folder.iterdir()]
    other = {".csv", ".md", ".txt", ".json", ".dump", ".py", ".gz", ".zip", ".icc"}
    whole = [path for path in found if path.is_file() and path.suffix not in other]
    return sorted(path for path in whole if 0 < path.stat().st_size <= MOST_BYTES)


def cases(data: Path | None, seed: int, numbers: Sequence[int]) -> Iterator[tuple[int, str, bytes]]:
    """(number, what it is, bytes); below 0 the hostile files, -1 the first."""
    files = seeds(data)
    light = list(hostile_files()) if any(number < 0 for number in numbers) else []
    heavy = list(heavy_files()) if any(number < -len(light) for number in numbers) else []
    for number in numbers:
        if number < 0:
            yield number, *(light + heavy)[-number - 1]
        else:
            whole = files[number % len(files)]
            kinds, content = mutant(whole.read_bytes(), number, seed)
            yield number, f"{whole.name}: {kinds}", content


def child(data: Path | None, ours: Path | None, seed: int, numbers: Sequence[int]) -> None:
    """Index and read these cases; a line of JSON for each, flushed, for its trace."""
    told: Iterator[dict[str, object]]
    with tempfile.TemporaryDirectory(prefix="wetread-fuzz-") as folder:
        if ours is not None and numbers[0] >= OURS:
            from ours import read_ours

            told = read_ours(ours, Path(folder), seed, [number - OURS for number in numbers])
        else:
            from reading import read_batch

            told = read_batch(Path(folder), cases(data, seed, numbers), FILE_S)
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
        for line in told:
            print(json.dumps(line), flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"peak": peak}), flush=True)


def watched(
    words: Sequence[str], numbers: Sequence[int]
) -> tuple[list[dict[str, Any]], str | None]:
    """(the lines of a child for these cases, how it ended wrongly or None)."""
    command = [sys.executable, __file__, *words, f"--child={','.join(map(str, numbers))}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=BATCH_S, check=False)
    except subprocess.TimeoutExpired as late:
        text = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
        return _lines(text), f"hung for {BATCH_S} s"
    wrong = None
    if done.returncode:
        wrong = f"died with {done.returncode}: {done.stderr.strip()[-300:]}"
    return _lines(done.stdout), wrong


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


def run(
    words: Sequence[str], numbers: Sequence[int]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(lines of all children, findings); a batch that ends wrongly is halved to the one file."""
    lines, findings = [], []
    pending = [list(numbers[at : at + BATCH]) for at in range(0, len(numbers), BATCH)]
    while pending:
        batch = pending.pop(0)
        told, wrong = watched(words, batch)
        if wrong is None:
            lines += told
        elif len(batch) == 1:
            findings.append({"number": batch[0], "finding": wrong})
        else:
            middle = len(batch) // 2
            pending = [batch[:middle], batch[middle:], *pending]
    return lines, findings


def main() -> int:
    """The fuzz, or one child of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=4000)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--hostile", choices=("none", "light", "all"), default="all")
    parser.add_argument("--ours", type=int, help="damaged files of our own; default: a tenth")
    parser.add_argument("--whole", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(
            given.data, given.whole, given.seed, [int(number) for number in given.child.split(",")]
        )
        return 0
    words = ["--seed", str(given.seed), *(["--data", str(given.data)] if given.data else [])]
    hostile = 0 if given.hostile == "none" else sum(1 for _ in hostile_files())
    if given.hostile == "all":
        hostile += sum(1 for _ in heavy_files())
    numbers = [-1 - n for n in range(hostile)]
    numbers += range(given.first, given.first + given.mutants)
    began = time.monotonic()
    lines, findings = run(words, numbers)
    count = given.mutants // 10 if given.ours is None else given.ours
    if count:
        with tempfile.TemporaryDirectory(prefix="wetread-fuzz-") as folder:
            from ours import make

            make(Path(folder) / "whole")
            own = [OURS + given.first + n for n in range(count)]
            more, found = run([*words, "--whole", f"{folder}/whole"], own)
        lines, findings, numbers = lines + more, findings + found, numbers + own
    findings += [line for line in lines if "finding" in line]
    ended = Counter(line["end"] for line in lines if "end" in line)
    told = {
        "files": len(numbers),
        "accounted": sum(ended.values()),
        "ends": dict(sorted(ended.items())),
        "peak_bytes": max((line["peak"] for line in lines if "peak" in line), default=0),
        "seconds": round(time.monotonic() - began, 1),
        "findings": findings,
    }
    print(json.dumps(told, indent=2))
    return int(bool(findings) or told["accounted"] != told["files"])


if __name__ == "__main__":
    sys.exit(main())
