"""bench/head_reads.py: `predict` on twenty head CTs against the bare passes of its network.

python -m bench head_reads: phantoms of 256 x 256 pixels, about thirty slices each, and a run of the
demo's kind that learned for one epoch: what it says does not matter, how long it takes does.

The command is run as a user runs it, on one worker, start and imports included: CPU seconds of all
its processes. Beside it stand the passes that the answers need, every slice and its mirror image
through the network as `predict` runs it (batch norms folded), from tensors that are ready.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

from bench.bare_passes import Bare, slice_forward_passes
from bench.data import WORK
from bench.long_series import Taken, taken_by
from wetread.verbs.index import index
from wetread.verbs.phantom import phantom
from wetread.verbs.train.train import train

TASK, STUDIES, LEARNED, ROUNDS = "hemorrhage", 20, 12, 2
Row = dict[str, Any]


def compare() -> list[Row]:
    """One row: CPU seconds of the command, and of the passes, in turn."""
    source, run, out = WORK / "heads-read", learned(), WORK / "heads-out"
    phantom(TASK, source, studies=STUDIES, seed=1)
    taken: list[Taken] = []
    bare: list[Bare] = []
    for _ in range(ROUNDS):
        words = ["predict", str(source), "--run", str(run), "-o", str(out), "--workers", "1"]
        taken.append(taken_by(words, [out]))
        bare.append(slice_forward_passes(run, out))
    start = median(taken_by(["predict", "--help"], []).cpu_s for _ in range(ROUNDS))
    ours = median(one.cpu_s for one in taken)
    theirs = median(one.folded.cpu_s for one in bare)
    first = bare[0]
    about = f"{first.passes} passes in {first.precision} on {first.threads} threads"
    return [
        {
            "name": "head_reads_vs_folded_passes_cpu_s",
            "ours": ours,
            "theirs": theirs,
            "unit": f"CPU seconds of {STUDIES} studies",
            "ratio": theirs / ours,
            "remark": f"{ours / theirs:.2f} times {about}; start included, of which the parser "
            f"alone takes {start:.1f}; at most {max(one.gib for one in taken):.2f} GiB PSS",
        }
    ]


def learned() -> Path:
    """A run of the task's usual recipe, of one epoch over few phantoms."""
    run, archive = WORK / "heads-run", WORK / "heads-learned"
    if not (run / "scores.json").is_file():
        phantom(TASK, archive, studies=LEARNED, seed=0)
        table = WORK / "heads-learned.parquet"
        index([archive], table)
        labels = [archive / "stage_2_train.csv"]
        train(TASK, [table], run, labels=labels, seed=0, settings=("epochs=1",))
    return run
