"""cli/runs_text.py: runs as lines for an 80-column terminal. No file is read here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wetread.archive.plural import plural
from wetread.archive.types import JsonObject
from wetread.cli.evaluation_text import ALL, SHOWN, signed_difference

if TYPE_CHECKING:  # for types alone: the command line starts without loading what it may not need
    from wetread.verbs.runs.compare import RunComparison
    from wetread.verbs.runs.diff import RunDifference, RunDifferences
    from wetread.verbs.runs.mirror import MirrorResult
    from wetread.verbs.runs.runs import Runs

WIDEST_NAME = 24  # beside two scores with their intervals
MAKER = re.compile(r"\((?:R|TM)\)| (?:CPU|Processor)\b")  # what a processor's name can do without
MOST = 60  # characters of a value that differs
NOT_RECORDED = "not recorded"
DIGEST = 12  # characters of one that are shown


def list_lines(found: Runs, folders: Sequence[Path]) -> list[str]:
    """Return the runs task by task: two lines each, its numbers, then where they come from."""
    rows = found.table.to_dicts()
    if not rows:
        return [f"no run in {', '.join(map(str, folders))}"]
    lines = []
    for task in dict.fromkeys(row["task"] for row in rows):
        lines += _task_lines(task, [row for row in rows if row["task"] == task])
    return [*lines, sum_of_runs(found)]


def _task_lines(task: str | None, rows: Sequence[JsonObject]) -> list[str]:
    name = min(max(3, *(len(row["run"]) for row in rows)), WIDEST_NAME)
    scored = next((row for row in rows if row["metric"]), None)
    lines = [f"{task or 'task not known'}"]
    if scored is not None:
        lines[0] += (
            f": {scored['metric']} by {scored['level']}, ROC AUC of {scored['finding']} by "
            f"{scored['auc_level']}; 95 % intervals"
        )
        lines.append(f"{'run':<{name}}  epochs  patients  {'score':<17}  {'ROC AUC':<17}".rstrip())
    for row in rows:
        lines += _run_lines(row, name)
    return lines


def _run_lines(row: JsonObject, width: int) -> list[str]:
    lines = []
    shown = f"{row['run']:<{width}}"
    if len(row["run"]) > width:
        lines.append(row["run"])
        shown = " " * width
    if row["score"] is not None or row["auc"] is not None:
        lines.append(
            f"{shown}  {_epochs(row):>6}  {_text(row['patients']):>8}  "
            f"{_score(row, 'score'):<17}  {_score(row, 'auc'):<17}".rstrip()
        )
        if row["reason"]:
            lines.append(f"    {row['state']}: {row['reason']}")
    else:
        lines.append(f"{shown}  {row['state']}: {row['reason'] or 'no score'}")
    return lines + [f"    {part}" for part in _origin(row)]


def _origin(row: JsonObject) -> list[str]:
    """Return how the run was learned, then when and on what, as far as it says."""
    learned = []
    if row["encoder"] is not None:
        recipe, encoder = row["recipe"] or row["encoder"], row["encoder"]
        learned.append(recipe if recipe == encoder else f"{recipe} ({encoder})")
        learned.append(plural(row["folds"], "fold") if row["folds"] else "one split")
        learned.append(f"seed {row['seed']}")
    learned.append(f"{row['bytes'] / 1e6:.1f} MB")
    if row["began"] is None:
        return [", ".join(learned)]
    ran = [_minute(row["began"])]
    ran.append("its last session has no end" if row["ended"] is None else seconds(row["seconds"]))
    ran += ["deterministic"] if row["deterministic"] else []
    ran += [row["precision"]] if row["precision"] else []
    ran += [MAKER.sub("", row["device_name"])] if row["device_name"] else []
    return [", ".join(learned), ", ".join(ran)]


def seconds(count: float) -> str:
    """Return a time in words: `42 s`, `3 min 5 s`, `2 h 10 min`."""
    whole = round(count)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _minute(moment: str) -> str:
    return f"{moment[:10]} {moment[11:16]} UTC"


def _epochs(row: JsonObject) -> str:
    return f"{row['epochs_done']}/{(row['epochs'] or 0) * row['networks']}"


def _text(value: object) -> str:
    return "-" if value is None else str(value)


def _score(row: JsonObject, name: str) -> str:
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if value is None:
        return "-"
    return f"{value:.3f}" + ("" if low is None or high is None else f" {low:.3f}-{high:.3f}")


def sum_of_runs(found: Runs) -> str:
    """Return `3 runs: 2 finished, 1 damaged`."""
    states = Counter(found.table["state"].to_list())
    parts = ", ".join(f"{count} {state}" for state, count in states.items())
    return f"{plural(len(found), 'run')}: {parts}"


def written_lines(found: Runs, what: str, out: Path) -> list[str]:
    """Return how many runs there are and where the file about them lies."""
    if not len(found):
        return ["no run there", f"{what}: {out}"]
    damaged = [row for row in found.table.to_dicts() if row["state"] == "damaged"]
    return [
        sum_of_runs(found),
        *(f"  damaged: {row['run']}: {row['reason']}" for row in damaged),
        f"{what}: {out}",
    ]


def compare_lines(found: Sequence[RunComparison]) -> list[str]:
    """Return of each pair who was scored by both, then the differences of the headline and of all
    findings."""
    lines = []
    for one in found:
        first, second = one.splits
        lines += [
            f"{one.first} ({first}) minus {one.second} ({second}), in pairs:",
            f"  {plural(one.images, 'image')} of {plural(one.patients, 'patient')} scored by both; "
            f"{one.first_alone} by the first alone, {one.second_alone} by the second alone",
        ]
        if one.truth_differs:
            lines.append(f"  {plural(one.truth_differs, 'label')} differ and are left out")
        shown = [d for d in one.differences if d.metric in SHOWN and
                 d.finding in (one.headline, ALL)]  # fmt: skip
        lines += [f"  {d.metric} {d.finding} by {d.level}: {signed_difference(d)}" for d in shown]
    return lines


def diff_lines(found: RunDifferences) -> list[str]:
    """Return part by part what differs, and how much is alike."""
    lines = [f"first:  {found.first}", f"second: {found.second}"]
    for part, alike in found.equal.items():
        own = [one for one in found.found if one.part == part]
        known = [one for one in own if NOT_RECORDED not in (one.first, one.second)]
        lines.append(f"{part}: {plural(len(known), 'difference')}, {alike} alike")
        lines += [_difference(one) for one in known]
        for word, keys in (
            ("first", [one.key for one in own if one.first == NOT_RECORDED]),
            ("second", [one.key for one in own if one.second == NOT_RECORDED]),
        ):
            if keys:
                lines.append(f"  not recorded by the {word}: {', '.join(keys)}")
    return lines


def _difference(one: RunDifference) -> str:
    return f"  {one.key}: {_short(one.first)} -> {_short(one.second)}"


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    if len(text) in (32, 64) and set(text) <= set("0123456789abcdef"):
        return text[:DIGEST]
    return text if len(text) <= MOST else f"{text[: MOST - 3]}..."


def mirror_lines(found: MirrorResult) -> list[str]:
    """Return how much was new, and what was left out and why."""
    return [
        f"{plural(found.runs, 'run')} mirrored, {plural(found.written, 'number')} new there",
        *(f"  left out: {name}: {reason}" for name, reason in found.left_out.items()),
    ]
