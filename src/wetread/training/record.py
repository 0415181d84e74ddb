"""training/record.py: runs are found in folders, and each is read as far as it can be.

Nothing raises for a run that is damaged: what is wrong with it is its state's reason.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from wetread.archive.errors import WetreadError
from wetread.archive.files.damaged import DamagedFileError, expect_form
from wetread.archive.files.lock import is_locked
from wetread.archive.files.table_file import parquet_schema
from wetread.archive.types import JsonObject
from wetread.evaluation.score import Scores
from wetread.training import machine, predictions
from wetread.training.about import (
    metrics_files,
    read_about,
    read_assignment,
    read_metrics,
    read_run_recipe,
)
from wetread.training.recipe import Recipe
from wetread.training.run import BEST, LAST, METRICS, SCORES, Run

FINISHED, UNSCORED, RUNNING = "finished", "unscored", "running"
UNFINISHED, DAMAGED = "unfinished", "damaged"
ABOUT, RECIPE, FOLDS = "about.json", "recipe.json", "folds.json"
MARKS = (ABOUT, RECIPE, FOLDS, machine.FILE, predictions.FILE)  # any of them makes a run
Value = TypeVar("Value")


@dataclass(frozen=True)
class NetworkHistory:
    """The epochs of one network of a run, as its metrics.jsonl has them; name: its folder."""

    name: str
    epochs: tuple[JsonObject, ...]


@dataclass(frozen=True, eq=False)
class RunRecord:
    """All that a run's folder says of it; None or empty where it says nothing, or is damaged there.

    name:   of the folder, below the one that was searched.
    state:  finished; unscored (trained, not evaluated); running (a command holds the folder);
            unfinished (stopped); damaged.
    reason: why it is not finished.
    folds:  patient to part.
    bytes:  on the disk, a file with several names once.
    """

    folder: Path
    name: str
    state: str
    reason: str | None
    about: JsonObject | None
    recipe: Recipe | None
    folds: dict[str, str] | None
    sessions: tuple[JsonObject, ...]
    networks: tuple[NetworkHistory, ...]
    scores: Scores
    bytes: int


def find_records(folders: Sequence[Path]) -> list[RunRecord]:
    """Find the runs at and below folders, each once, in the order of their names; what a run holds
    within itself is no run of its own. FileNotFoundError where a folder is none."""
    found: dict[str, RunRecord] = {}
    for top in folders:
        if not top.is_dir():
            raise FileNotFoundError(f"{top}: no such folder; name one that holds runs")
        for folder in _run_folders(top):
            real = os.path.realpath(folder)
            if real not in found:
                found[real] = read_record(folder, _name(folder, top, several=len(folders) > 1))
    return list(found.values())


def _run_folders(top: Path) -> Iterator[Path]:
    if is_run_folder(top):
        yield top
        return
    for inner in sorted(path for path in _entries(top) if path.is_dir() and not path.is_symlink()):
        yield from _run_folders(inner)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except PermissionError:
        return []


def is_run_folder(folder: Path) -> bool:
    """Whether a folder has a file that only runs have, or a network that one trained."""
    if any((folder / name).is_file() for name in MARKS):
        return True
    return any(any(folder.glob(f"model-*/**/{name}")) for name in (LAST, BEST, METRICS))


def _name(folder: Path, top: Path, *, several: bool) -> str:
    below = folder.relative_to(top).as_posix()
    if below == ".":
        return folder.as_posix() if folder.name in ("", "..") else folder.name
    return f"{top.name}/{below}" if several and top.name not in ("", "..") else below


def read_record(folder: Path, name: str | None = None) -> RunRecord:
    """Read a run; name: None for that of its folder."""
    faults: list[str] = []

    def tried(read: Callable[[Path], Value], file: str) -> Value | None:
        """Read a file of the run; None where it is not there or damaged."""
        if not (folder / file).exists():
            return None
        try:
            return read(folder)
        except (WetreadError, OSError) as error:
            faults.append(str(error))
            return None

    about = tried(read_about, ABOUT)
    recipe = tried(read_run_recipe, RECIPE)
    folds = tried(read_assignment, FOLDS)
    sessions = tried(machine.read_sessions, machine.FILE) or ()
    scores = tried(_scores, SCORES)
    tried(_check_predictions, predictions.FILE)
    networks = []
    for file in metrics_files(folder):
        inside = file.relative_to(folder)
        history = tried(lambda _, file=file: read_metrics(file), inside.as_posix())  # type: ignore[misc]
        networks.append(NetworkHistory(inside.parent.as_posix(), history or ()))
    state, reason = _state(folder, recipe, networks, faults)
    return RunRecord(
        folder, name or folder.name or str(folder), state, reason, about, recipe, folds,
        sessions, tuple(networks), scores or Scores(), _bytes(folder),
    )  # fmt: skip


def _state(
    folder: Path,
    recipe: Recipe | None,
    networks: Sequence[NetworkHistory],
    faults: Sequence[str],
) -> tuple[str, str | None]:
    if is_locked(str(folder)):
        return RUNNING, "a wetread command writes there now"
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        return DAMAGED, f"{faults[0]}{more}"
    if not (folder / predictions.FILE).is_file():
        return UNFINISHED, _where_it_stopped(folder, recipe, networks)
    for lacking in (ABOUT, RECIPE, FOLDS):
        if not (folder / lacking).is_file():
            return DAMAGED, f"{folder / lacking} is not there; train again"
    for network in networks:
        best = folder / network.name / BEST
        if not best.is_file() or not best.stat().st_size:
            return DAMAGED, f"{best} is not there or empty; train again"
    if not (folder / SCORES).is_file():
        return UNSCORED, f"no {SCORES}; wetread evaluate makes it"
    return FINISHED, None


def _where_it_stopped(
    folder: Path, recipe: Recipe | None, networks: Sequence[NetworkHistory]
) -> str:
    if recipe is None or not networks:
        return "stopped before its first epoch ended; the same command goes on"
    last = networks[-1]
    return (
        f"stopped after epoch {len(last.epochs)} of {recipe.epochs} of {last.name}; the same "
        "command goes on"
    )


def _scores(folder: Path) -> Scores:
    with expect_form(folder / SCORES, "the scores of a run, which wetread evaluate writes"):
        return Run(folder).scores


def _check_predictions(folder: Path) -> None:
    """Raise DamagedFileError where the end of the table, or a column of it, is not there."""
    path = folder / predictions.FILE
    columns = parquet_schema(path, expected=predictions.WANTED)
    lacking = set(predictions.SCHEMA) - {*predictions.ADDED, *columns}
    if lacking:
        raise DamagedFileError(path, predictions.WANTED, f"it lacks {sorted(lacking)[0]!r}")


def _bytes(folder: Path) -> int:
    """Count the bytes of all files below a folder, hard links once."""
    sizes: dict[tuple[int, int], int] = {}
    for top, _, files in os.walk(folder):
        for name in files:
            try:
                about = os.lstat(os.path.join(top, name))
            except OSError:  # removed meanwhile, by a run that goes on
                continue
            sizes[about.st_dev, about.st_ino] = about.st_size
    return sum(sizes.values())
