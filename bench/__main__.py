"""bench/__main__.py: every comparison in a process of its own, then results.json and the page.

python -m bench              all of them but those on request
python -m bench NAME         one of them, its rows as JSON on stdout
python -m bench radiographs  on request: real data, and half an hour
python -m bench consistency  on request: real tables of exams
python -m bench hemorrhage   on request: some hours
python -m bench heads        on request: real data, and some hours
python -m bench bounds       on request: what is marked as unlike what was learned
python -m bench explanations on request: whether maps of what speaks for blood point at it
python -m bench survey       on request: pandas and pyarrow, and ten minutes
python -m bench scale        on request: 13 GB of disk
python -m bench memory       on request: every verb three times, and half an hour

Written parts of the page are the Markdown files of bench/notes/, in the order of their names.
"""

import json
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

from bench import (
    batch,
    bounds,
    consistency,
    explanations,
    export,
    feed,
    head_reads,
    heads,
    hemorrhage,
    index,
    long_series,
    memory,
    million,
    onnx_graphs,
    radiographs,
    scale,
    sequences,
    slices,
    survey,
)
from bench.data import WORK

COMPARISONS = {
    "slices": slices.compare,
    "export": export.compare,
    "batch": batch.compare,
    "feed": feed.compare,
    "index": index.compare,
    "million": million.compare,
    "long_series": long_series.compare,
    "head_reads": head_reads.compare,
    "onnx": onnx_graphs.compare,
}
ON_REQUEST = {
    "radiographs": radiographs.compare,
    "consistency": consistency.compare,
    "sequences": sequences.compare,
    "hemorrhage": hemorrhage.compare,
    "heads": heads.compare,
    "bounds": bounds.compare,
    "explanations": explanations.compare,
    "survey": survey.compare,
    "scale": scale.compare,
    "memory": memory.compare,
}
RESULTS = Path(__file__).parent / "results.json"
NOTES = Path(__file__).parent / "notes"
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def main() -> None:
    """Run what is named, or all."""
    if len(sys.argv) > 1:
        known = COMPARISONS | ON_REQUEST
        if sys.argv[1] not in known:
            sys.exit(__doc__ if sys.argv[1] in ("-h", "--help") else f"one of {', '.join(known)}")
        print(json.dumps(known[sys.argv[1]]()))
        return
    WORK.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in COMPARISONS:
        printed = subprocess.run(
            [sys.executable, "-m", "bench", name], check=True, stdout=subprocess.PIPE, text=True
        )
        found = json.loads(printed.stdout.splitlines()[-1])
        for row in found:
            print(f"{row['name']:<36} {row['ratio']:>7.2f} x")
        rows += found
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    PAGE.write_text(page(rows))


def page(rows: list[dict[str, object]]) -> str:
    """docs/performance.md."""
    lines = [
        "# Performance",
        "",
        "Written by `make bench`. Each row is one run of one process, the two candidates in turn,",
        "medians of the rounds, one thread. A ratio above 1 means that wetread is better. Absolute",
        "figures are of one machine; quote the ratios.",
        "",
        f"Measured {date.today().isoformat()} on {platform.processor() or platform.machine()}.",
        "",
        "| what | wetread | the other | unit | ratio | remark |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row['name']}` | {row['ours']:.4g} | {row['theirs']:.4g} | {row['unit']} "
        f"| {row['ratio']:.2f} | {row.get('remark', '')} |"
        for row in rows
    ]
    return "\n".join([*lines, "", *(part.read_text() for part in sorted(NOTES.glob("*.md")))])


if __name__ == "__main__":
    main()
