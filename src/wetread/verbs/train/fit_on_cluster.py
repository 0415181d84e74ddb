"""verbs/train/fit_on_cluster.py: the folds of a run as jobs of a Dask cluster.

A job is what `train` with a fold is: it finds the run made ready in the shared folder, and goes on
from the fold's last checkpoint, whichever machine wrote it.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from wetread.archive.errors import WetreadError
from wetread.archive.executor.isolated_process import NO_LIMITS, LostItem
from wetread.archive.executor.workers import Cluster, parallel_map
from wetread.archive.files.lease import WAIT_FOREVER, note_progress, read_lease
from wetread.archive.identity.user_key import user_key
from wetread.inputs.progress import Report
from wetread.training.about import REFIT
from wetread.training.deterministic import deterministic_operations
from wetread.verbs.train.arguments import TrainArguments
from wetread.verbs.train.fit_fold import REFIT_JOB, fit_fold
from wetread.verbs.train.fit_splits import missing_splits
from wetread.verbs.train.ready_run import ReadyRun

POLL_S = 1.0


@dataclass(frozen=True)
class FoldJob:
    """A job of the cluster: fit one fold of a run.

    arguments: of the run. folder: in which `train` was called; relative paths are meant there.
    key: the name of the key of its pseudonyms; "" where there is none.
    """

    arguments: TrainArguments
    folder: Path
    key: str

    def __call__(self, fold: int) -> int:
        """Fit one fold; its number."""
        with suppress(OSError):  # relative paths are meant there; where it is not, all are absolute
            os.chdir(self.folder)
        out, host = self.arguments.out, socket.gethostname()
        if not (out / "about.json").is_file():
            raise FileNotFoundError(
                f"{out}: the worker on {host} does not see this run; all workers need the paths of "
                "this machine: a shared folder"
            )
        if self.key and (own := user_key().name) != self.key:
            raise ValueError(
                f"the worker on {host} has the key {own}, this machine {self.key}: patients would "
                "get other pseudonyms there. Set WETREAD_KEY alike, or share ~/.config/wetread"
            )
        request = self.arguments.check()
        with deterministic_operations(request.recipe):
            fit_fold(
                self.arguments,
                request,
                fold,
                workers=None,
                report=note_progress,
                timeout_s=WAIT_FOREVER,
            )
        return fold


def fit_on_cluster(
    arguments: TrainArguments, ready: ReadyRun, cluster: Cluster, report: Report
) -> None:
    """Fit what a run lacks on the workers of a cluster: its folds, then networks of all patients.

    Raises ClusterError where no worker is left, WetreadError for a fold of which they died.
    """
    key = "" if ready.request.key is None else ready.request.key.name
    job = FoldJob(replace(arguments, verify=False), Path.cwd(), key)
    waiting = missing_splits(ready.run, ready.plan, ready.prepared)
    with _progress_of_jobs(ready.run.folder, report):
        _work(job, waiting, cluster)
        if ready.prepared.refit is not None:
            _work(job, (REFIT_JOB,), cluster)


def _work(job: FoldJob, folds: tuple[int, ...], cluster: Cluster) -> None:
    answers = parallel_map(job, folds, cluster, NO_LIMITS, ahead=None)
    for fold, answer in zip(folds, answers, strict=True):
        if isinstance(answer, LostItem):
            what = "the networks of all patients" if fold == REFIT_JOB else f"fold {fold}"
            raise WetreadError(
                f"{what}: {answer.detail}; have they memory enough? The same command goes on"
            )


@contextmanager
def _progress_of_jobs(folder: Path, report: Report) -> Iterator[None]:
    """Report, until the end, what the jobs write into their leases."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_S):
            for held in (folder, *sorted(folder.glob("model-*")), folder / REFIT):
                note = read_lease(held)
                if note is not None and note.stage:
                    report(note.stage, note.done, note.total)

    thread = threading.Thread(target=watch, name="jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
