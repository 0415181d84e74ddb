"""verbs/runs/mirror.py: runs in, their numbers in TensorBoard or MLflow out; the folder stays the
truth."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from wetread.archive.files.lock import locked
from wetread.archive.files.paths import as_path_or_none, as_paths
from wetread.archive.types import StrPath, StrPaths
from wetread.outputs.mlflow import write_mlflow
from wetread.outputs.run_numbers import Plain, RunNumbers
from wetread.outputs.tensorboard import write_tensorboard
from wetread.training.recipe import flat_settings
from wetread.training.record import (
    DAMAGED,
    FINISHED,
    RUNNING,
    UNSCORED,
    RunRecord,
    find_records,
)

NOT_NUMBERS = ("epoch", "step", "kept")  # of an epoch's line
VALIDATION = "validation"  # as trackers call an epoch's `value`
STATES: dict[str, Literal["ended", "running"]] = {
    FINISHED: "ended", UNSCORED: "ended", RUNNING: "running",
}  # fmt: skip
OF_MACHINE = ("wetread", "source", "processor", "device", "device_name", "precision")


@dataclass(frozen=True)
class MirrorResult:
    """How many runs were mirrored, how many numbers were new there, and why others were left out:
    name to reason."""

    runs: int
    written: int
    left_out: dict[str, str]

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return {"runs": self.runs, "written": self.written, "left_out": self.left_out}


def mirror_runs(
    folders: StrPaths, *, tensorboard: StrPath | None = None, mlflow: str | None = None
) -> MirrorResult:
    """Write epochs, scores and settings of the runs at and below folders to trackers, finished or
    not; what they have already is not written again.

    tensorboard: its folder of logs. mlflow: the URI of its tracking store ("http://...",
        "sqlite:///mlflow.db"). A run that is damaged or says nothing yet is left out, with its
        reason.

    Raises ValueError where neither is given or no run is there, or where epochs of another training
    lie under a run's name; MissingExtraError where a tracker is not installed.
    """
    if tensorboard is None and mlflow is None:
        raise ValueError("nothing to mirror to: give `tensorboard`, or `mlflow`")
    records = find_records(as_paths(folders))
    if not records:
        places = ", ".join(str(path) for path in as_paths(folders))
        raise ValueError(f"no run in {places}; name a folder that wetread train wrote, or one over")
    logs, written, left_out = as_path_or_none(tensorboard), 0, {}
    for record in records:
        epochs = any(one.epochs for one in record.networks)
        if record.state == DAMAGED or record.recipe is None or not epochs:
            left_out[record.name] = record.reason or "no epoch of it has ended"
            continue
        numbers = run_numbers(record)
        if logs is not None:
            with locked(logs / numbers.name):
                written += write_tensorboard(numbers, logs)
        if mlflow is not None:
            written += write_mlflow(numbers, mlflow)
    return MirrorResult(len(records) - len(left_out), written, left_out)


def run_numbers(record: RunRecord) -> RunNumbers:
    """Return the numbers of a run as trackers take them."""
    epochs: dict[str, dict[str, dict[int, float]]] = {}
    for network in record.networks:
        by_name = epochs.setdefault(network.name, {})
        for row in network.epochs:
            for key, value in row.items():
                if key not in NOT_NUMBERS and isinstance(value, int | float):
                    name = VALIDATION if key == "value" else key
                    by_name.setdefault(name, {})[int(row["epoch"]) + 1] = float(value)
    scores: dict[str, float] = {}
    for one in record.scores:
        for end, value in (("", one.value), ("_low", one.low), ("_high", one.high)):
            if value is not None:
                scores[f"{one.metric}/{one.finding}/{one.level}{end}"] = value
    began = record.sessions[0]["began"] if record.sessions else None
    return RunNumbers(
        name=re.sub(r"[^\w./-]", "_", record.name),
        id=_identity(record),
        task=str((record.about or {}).get("task", "unknown")),
        began_ms=None if began is None else int(datetime.fromisoformat(began).timestamp() * 1000),
        state=STATES.get(record.state, "stopped"),
        settings=_settings(record),
        epochs=epochs,
        scores=scores,
    )


def _settings(record: RunRecord) -> dict[str, Plain]:
    settings = {} if record.recipe is None else flat_settings(record.recipe)
    last = record.sessions[-1] if record.sessions else {}
    of_machine = {f"machine.{name}": last[name] for name in OF_MACHINE if name in last}
    return {
        name: value if isinstance(value, Plain) else _listed(value)
        for name, value in {**settings, **of_machine}.items()
        if value is not None
    }


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _identity(record: RunRecord) -> str:
    """Return the id of the first session; of a run without, a digest of its recipe and folds."""
    if record.sessions and "id" in record.sessions[0]:
        return str(record.sessions[0]["id"])
    digest = hashlib.sha256()
    for name in ("recipe.json", "folds.json"):
        file: Path = record.folder / name
        digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()[:32]
