"""verbs/train/ready_run.py: a run made ready to be trained, by whichever process comes first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from wetread.archive.executor.workers import Workers
from wetread.inputs.progress import Report, stage
from wetread.reports.slice_panels import write_edge_letters
from wetread.tasks import keep_task
from wetread.training.prepare import prepare
from wetread.training.run import Run
from wetread.training.slices.prepare import Prepared, TrainingInputs
from wetread.verbs.train.arguments import TrainArguments
from wetread.verbs.train.fit_splits import RunPlan, begin_run, plan_run
from wetread.verbs.train.labeled_archive import LabeledArchive, open_labeled_archive
from wetread.verbs.train.request import TrainRequest


@dataclass(frozen=True, eq=False)
class ReadyRun:
    """A run whose archive is indexed, packed and joined to its labels, and whose patients are
    dealt."""

    run: Run
    request: TrainRequest
    archive: LabeledArchive
    prepared: Prepared
    plan: RunPlan


def make_ready(
    arguments: TrainArguments, request: TrainRequest, workers: Workers | None, report: Report
) -> ReadyRun:
    """Index, pack, join and deal, or find that this is done, in the run's folder, which is held."""
    run = Run(request.out)
    keep_task(request.out, arguments.known_task)
    archive = open_labeled_archive(
        request,
        repair=arguments.repair,
        as_hu=arguments.as_hu,
        verify=arguments.verify,
        workers=workers,
        report=report,
    )
    inputs = TrainingInputs(
        run,
        archive.stores,
        archive.labels,
        request.recipe,
        partial(stage, report),
        archive.header,
    )
    prepared = prepare(request.task.spec, inputs)
    name = Path(arguments.recipe or arguments.known_task.recipe).name
    plan = plan_run(request, archive, prepared).with_inputs(name, archive)
    write_edge_letters(run, archive.images)
    begin_run(run, plan)
    return ReadyRun(run, request, archive, prepared, plan)
