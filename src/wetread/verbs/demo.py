"""verbs/demo.py: the whole path on phantoms: archive, index, run, readings, scores, page."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wetread.archive.executor.workers import available_cores
from wetread.archive.files.atomic import write_whole
from wetread.archive.files.lock import exclusive_output
from wetread.archive.files.table_file import read_parquet
from wetread.archive.files.written import refuse_foreign_files
from wetread.archive.index.index import Index
from wetread.archive.types import StrPath
from wetread.evaluation.score import Scores
from wetread.inputs.progress import Report, silent, stage
from wetread.pages.page import add_link
from wetread.prediction.ensemble import read_ensemble
from wetread.tasks import TASKS, find_task
from wetread.training.predictions import FILE
from wetread.verbs.index import index
from wetread.verbs.predict.predict import own_names, predict_index
from wetread.verbs.train.train import train

READ = 40  # studies of a fold
READINGS_PAGE = "readings.html"  # page.html is the run's
OWN = frozenset(("archive", "run", "scores.json", "page.html"))  # names in out, beside readings


@dataclass(frozen=True)
class DemoResult:
    """Where to look, what it is worth, what it learned from and was scored on, in words, and how
    long each step took."""

    out: Path
    headline: str
    origin: str
    scores: Scores
    readings: int
    seconds: dict[str, float]

    def to_dict(self) -> dict[str, object]:
        """As plain values, for JSON."""
        return {
            "out": str(self.out),
            "origin": self.origin,
            "readings": self.readings,
            "seconds": self.seconds,
            **self.scores.to_dict(),
        }


@exclusive_output()
def demo(
    out: StrPath,
    task: str | None = None,
    *,
    seed: int = 0,
    studies: int | None = None,
    workers: int | None = None,
    report: Report = silent,
) -> DemoResult:
    """Run the whole path on phantoms: write, index, train, evaluate, predict.

    out: the folder; it holds archive, index.parquet, run, readings, scores.json, page.html (of the
        run) and readings.html.
    task: a name of TASKS; None: the first.
    studies: phantoms; None: as many as the task's demo has.
    seed: of phantoms and training.
    workers: processes; None: all cores. report: called with (stage, done, total).

    Held-out patients are scored and read; where the task's demo has folds, all are scored out of
    fold and up to 40 studies of the first fold read. Stopped and called again, it goes on. Raises
    ValueError where `out` holds files of others, before anything is written.
    """
    chosen = find_task(task or next(iter(TASKS)))
    out, phantoms = Path(out), chosen.phantoms
    count = studies or chosen.demo.studies
    refuse_foreign_files(out, own_names(chosen) | OWN)
    seconds = dict[str, float]()
    clock = time.monotonic()

    def lap(step: str) -> None:
        nonlocal clock
        seconds[step], clock = round(time.monotonic() - clock, 1), time.monotonic()

    archive = out / "archive"
    phantoms.write_to_learn(
        archive,
        count,
        seed,
        workers=workers or available_cores(),
        progress=stage(report, "phantoms"),
    )
    lap("phantoms")
    found = index([archive], out / "index.parquet", workers=workers, report=report)
    lap("index")
    result = train(
        chosen.name,
        [out / "index.parquet"],
        out / "run",
        labels=[archive / phantoms.labels],
        recipe=chosen.demo.recipe,
        patients=phantoms.patients_file(archive),
        folds=chosen.demo.folds,
        seed=seed,
        workers=workers,
        report=report,
    )
    lap("train and evaluate")
    held_out = held_out_images(found, out / "run", READ if chosen.demo.folds else None)
    readers = read_ensemble([out / "run"], split=0)
    read = predict_index(
        held_out,
        readers,
        out,
        page=READINGS_PAGE,
        workers=workers,
        report=report,
        other_names=OWN,
    )
    lap("read")
    shutil.copyfile(out / "run" / "scores.json", out / "scores.json")
    page = (out / "run" / "page.html").read_text(encoding="utf-8")
    led = add_link(page, READINGS_PAGE, "readings of studies that were held out")
    write_whole(out / "page.html", led.encode())
    return DemoResult(
        out, chosen.headline, result.origin, result.scores, len(read.readings), seconds
    )


def held_out_images(found: Index, run: Path, most: int | None = None) -> Index:
    """Select the images of the studies that the run's first split never saw, or of so many."""
    predictions = read_parquet(run / FILE, columns=["level", "id", "study", "model"])
    unseen = predictions.filter(pl.col("level") == "image", pl.col("model") == 0)
    studies = unseen["study"].unique().sort().head(most or unseen.height)
    ids = unseen.filter(pl.col("study").is_in(studies.implode()))["id"].unique()
    kept = found.instances.filter(pl.col("SOPInstanceUID").is_in(ids.to_list()))
    return Index(kept.lazy(), found.rejects.clear(), 0)
