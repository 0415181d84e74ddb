"""bench/memory.py: the memory of every verb: on real files, and as their number grows.

python -m bench memory: the commands as a user runs them, PSS of all their processes at most
(bench/long_series.py), a worker a core. Growth: phantom radiographs, SMALL and LARGE studies, and
head CTs for the verbs that need slices. WETREAD_DATA, where set, names a folder of real files: its
radiographs with masks, and its chest CT. Writes bench/notes/memory.md, a part of the page.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.data import WORK
from bench.long_series import Taken, taken_by
from wetread.verbs.index import index
from wetread.verbs.phantom import phantom
from wetread.verbs.train.train import train

TASK, SMALL, LARGE, HEADS_LESS = "pneumothorax", 25, 100, 5  # as many head CTs: a fifth
BUDGET_GIB = 2.0
NOTES = Path(__file__).parent / "notes" / "memory.md"
Row = dict[str, Any]
Words = list[str]


@dataclass(frozen=True)
class Input:
    """What the verbs are given: films with labels and their index; a series; how many studies."""

    films: Path
    labels: Path
    series: Path
    studies: int

    @property
    def name(self) -> str:
        """Name the files that are made of it."""
        return f"{self.films.parent.name}-{self.films.name}-{self.studies}"

    @property
    def table(self) -> Path:
        """Its index."""
        return WORK / "memory" / f"{self.name}.parquet"

    def out(self, verb: str) -> Path:
        """Where a verb's result goes."""
        return WORK / "memory" / f"{verb}-{self.name}"


RUN = WORK / "memory" / "run"
# Verb -> its words for an input; what they make stands in `Input.out(verb)`.
VERBS: dict[str, Callable[[Input, str], Words]] = {
    "index": lambda one, out: ["index", str(one.films), "-o", f"{out}.parquet"],
    "show": lambda one, out: ["show", str(one.films), "--json"],
    "explore": lambda one, out: [
        "explore", str(one.table), "--labels", str(one.labels), "--task", TASK, "-o", f"{out}.html",
    ],
    "baseline": lambda one, out: [
        "baseline", TASK, "--data", str(one.table), "--labels", str(one.labels), "-o", out,
    ],
    "pack": lambda one, out: ["pack", str(one.table), "-o", out],
    "train": lambda one, out: [
        "train", TASK, "--data", str(one.table), "--labels", str(one.labels), "-o", out,
        "--set", "epochs=1",
    ],
    "evaluate": lambda one, out: ["evaluate", str(one.out("train"))],
    "calibrate": lambda one, out: [
        "calibrate", str(RUN), "--data", str(one.table), "--labels", str(one.labels), "-o", out,
    ],
    "predict": lambda one, out: ["predict", str(one.table), "--run", str(RUN), "-o", out],
    "score": lambda one, out: [
        "score", TASK, "--truth", str(one.labels),
        "--submission", str(one.out("predict") / "submission.csv"),
    ],
    "blend": lambda one, out: [
        "blend", *2 * [str(one.out("predict") / "submission.csv")], "-o", f"{out}.csv",
    ],
    "features": lambda one, out: ["features", str(one.table), "--run", str(RUN), "-o", out],
    "export": lambda one, out: ["export", "png", str(one.films), "-o", out],
    "windows": lambda one, out: ["windows", str(one.films), "-o", f"{out}.html"],
    "montage": lambda one, out: ["montage", str(one.films), "-o", f"{out}.png"],
    "scroll": lambda one, out: ["scroll", str(one.series), "-o", f"{out}.html"],
    "segment": lambda one, out: ["segment", "bone", str(one.series), "-o", out],
    "phantom": lambda one, out: ["phantom", TASK, "-o", out, "--studies", str(one.studies)],
    "task check": lambda one, out: [
        "task", "check", TASK, "--data", str(one.table), "--labels", str(one.labels), "--json",
    ],
}  # fmt: skip


def compare() -> list[Row]:
    """A row a verb: its peak on LARGE phantoms, and beside it on SMALL ones and on real files."""
    (WORK / "memory").mkdir(parents=True, exist_ok=True)
    small, large = _phantoms(SMALL), _phantoms(LARGE)
    real = _real()
    _learn(small)
    rows = []
    for verb, words in VERBS.items():
        of_small, of_large = (_peak(verb, words, one) for one in (small, large))
        of_real = None if real is None or verb == "phantom" else _peak(verb, words, real)
        rows.append(_row(verb, of_small, of_large, of_real))
        print(json.dumps(rows[-1]), flush=True)
    NOTES.parent.mkdir(exist_ok=True)
    NOTES.write_text(_table(rows))
    return rows


def _row(verb: str, small: Taken | str, large: Taken | str, real: Taken | str | None) -> Row:
    """A row of results; a verb that ended wrongly has no number, and says so."""
    if isinstance(small, str) or isinstance(large, str):
        return {"name": f"memory_{verb.replace(' ', '_')}", "failed": str(large)}
    return {
        "name": f"memory_{verb.replace(' ', '_')}",
        "ours": large.gib,
        "theirs": BUDGET_GIB,
        "unit": "GiB, PSS of all processes, at most",
        "ratio": BUDGET_GIB / large.gib,
        "remark": f"the other is the budget; {LARGE} studies, {SMALL} take {small.gib:.3f}",
        "small": small.gib,
        "real": real.gib if isinstance(real, Taken) else None,
    }


def _peak(verb: str, words: Callable[[Input, str], Words], one: Input) -> Taken | str:
    """Measure the peak memory of a verb for an input; or say why the verb ended."""
    out = one.out(verb)
    ends = ("", ".parquet", ".html", ".csv", ".png")
    try:
        return taken_by(words(one, str(out)), [Path(f"{out}{end}") for end in ends])
    except RuntimeError as error:
        return str(error)


def _phantoms(studies: int) -> Input:
    """Radiographs with labels and an index, and a fifth as many head CTs; made once."""
    films, heads = (WORK / "memory" / f"{kind}-{studies}" for kind in ("films", "heads"))
    phantom(TASK, films, studies=studies, seed=0)
    phantom("hemorrhage", heads, studies=studies // HEADS_LESS, seed=0)
    one = Input(films, films / "train-rle.csv", heads, studies)
    index([films], one.table)
    return one


def _real() -> Input | None:
    """The largest real input of films and of a series, with its index."""
    folder = os.environ.get("WETREAD_DATA")
    if folder is None:
        return None
    films = Path(folder) / "pneumothorax_more"
    one = Input(films, films / "train-rle.csv", Path(folder) / "chest_ct", 0)
    index([films], one.table)
    return one


def _learn(one: Input) -> None:
    """Train the run that reads, for one epoch."""
    if not (RUN / "scores.json").is_file():
        train(TASK, [one.table], RUN, labels=[one.labels], seed=0, settings=("epochs=1",))


def _table(rows: list[Row]) -> str:
    """The part of the page."""
    lines = [
        "## Memory of every verb",
        "",
        "Written by `python -m bench memory`. PSS of all processes at most, GiB: of phantom",
        f"radiographs, {SMALL} and {LARGE} (`scroll`, `segment`: a fifth as many head CTs), and of",
        "real files: 421 radiographs (`scroll`, `segment`: a chest CT of 101 slices).",
        "",
        f"| verb | {SMALL} studies | {LARGE} studies | growth | real files |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        verb = row["name"].removeprefix("memory_").replace("_", " ")
        if "failed" in row:
            lines.append(f"| `{verb}` | | | not measured | |")
            continue
        grows, real = row["ours"] / row["small"], row["real"]
        text = "" if real is None else f"{real:.3f}"
        lines.append(
            f"| `{verb}` | {row['small']:.3f} | {row['ours']:.3f} | {grows:.2f} | {text} |"
        )
    return "\n".join([*lines, ""])
