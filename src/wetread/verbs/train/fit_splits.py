"""verbs/train/fit_splits.py: patients dealt, a model learned for each split, predictions kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from wetread.archive.files.lease import NO_WAIT, leased
from wetread.archive.types import JsonObject
from wetread.inputs.patients import describe_folds
from wetread.labels.finding import finding_names, finding_weights
from wetread.training import calibration, decide, mask_table
from wetread.training.about import REFIT
from wetread.training.data import Split, plan_splits
from wetread.training.data_digests import digest_data
from wetread.training.decide import decide_finding, smooth_decided, with_calibrated
from wetread.training.kept_split import FILE as KEPT
from wetread.training.kept_split import keep_split, read_split, split_key
from wetread.training.machine import recorded_split
from wetread.training.origin import count_origins, is_phantoms_only, phantom_studies
from wetread.training.predictions import FILE, to_table
from wetread.training.run import Run
from wetread.training.slices.fit import SplitResult
from wetread.training.slices.prepare import Prepared, Start
from wetread.training.slices.pseudo_labels import unlabeled_rows
from wetread.training.split_calibration import (
    calibrate_altered,
    calibrate_splits,
    calibrated_levels,
)
from wetread.verbs.train.labeled_archive import LabeledArchive
from wetread.verbs.train.request import TrainRequest


@dataclass(frozen=True, eq=False)
class RunPlan:
    """The parts of a run's patients, and its plain files: the contents of folds.json, recipe.json
    and about.json."""

    splits: Sequence[Split]
    folds: Mapping[str, object]
    recipe: Mapping[str, object]
    about: JsonObject

    def write(self, run: Run) -> None:
        """Write the plain files into the run's folder."""
        run.write_json("folds.json", self.folds)
        run.write_json("recipe.json", self.recipe)
        run.write_json("about.json", self.about)

    def with_inputs(self, recipe_name: str, archive: LabeledArchive) -> RunPlan:
        """Return the plan that says, too, under which name its recipe was given, and digests of
        what it learns from (training/data_digests.py)."""
        slices, dealt = archive.stores[0].slices, cast(Mapping[str, str], self.folds["assignment"])
        data = digest_data(slices, archive.labels, dealt)
        return replace(self, about={**self.about, "recipe": recipe_name, "data": data})


def plan_run(request: TrainRequest, archive: LabeledArchive, prepared: Prepared) -> RunPlan:
    """Deal the patients to splits, and describe the run."""
    task, recipe, identity = request.task, request.recipe, archive.identity
    plan, splits = plan_splits(prepared.data, recipe.folds, recipe.seed)
    unlabeled: set[int] = set()
    if recipe.pseudo_labels:
        unlabeled = {row for one in splits for row in unlabeled_rows(prepared.data, one).tolist()}
    phantoms = phantom_studies(archive.images)
    origins = count_origins(prepared.data, splits, phantoms, sorted(unlabeled))
    about = {
        "task": task.name,
        "findings": list(finding_names(task.findings)),
        "weights": finding_weights(task.findings).tolist(),
        "folds": recipe.folds,
        "counts": archive.counts,
        "patients_from": identity.source,
        "identity": identity.to_dict(),
        # For images that cannot be read; half a slice is added where training has no positive.
        "prior": {
            name: float(np.clip(share, 0.5 / (known + 1), 1 - 0.5 / (known + 1)))
            for name, (share, known) in prepared.shares.items()
        },
        **origins,
        # The share of an epoch's negatives into which a lesion is painted, and the images that
        # networks labeled.
        "learned_from": {
            **origins["learned_from"],
            "grafts": recipe.grafts.share,
            "pseudo_labeled": len(unlabeled),
        },
    }
    return RunPlan(splits, describe_folds(plan, identity), recipe.model_dump(mode="json"), about)


def fit_splits(run: Run, plan: RunPlan, prepared: Prepared, start: Start) -> None:
    """Train each split's model from the start, and keep what it predicts of the patients it never
    saw; then, where the recipe says so, networks of all patients. What is there is not done
    again."""
    results = [
        fit_one(run, number, split, prepared, start, NO_WAIT)
        for number, split in enumerate(plan.splits)
    ]
    if prepared.refit is not None:
        epochs = refit_run(run, prepared, start, NO_WAIT)
        plan = replace(plan, about={**plan.about, "refit_epochs": epochs})
    plan.write(run)  # of a run that goes on: only now, it would have been refused were it another
    keep_predictions(run, plan, prepared, results)


def begin_run(run: Run, plan: RunPlan) -> None:
    """Write the plain files of a run of which no training has begun."""
    if not any(run.folder.glob("model-*/**/last.pt")):
        plan.write(run)


def fit_one(
    run: Run, number: int, split: Split, prepared: Prepared, start: Start, timeout_s: float
) -> SplitResult:
    """Train the model of one split, and keep what it says of the patients it never saw; what is
    there is not done again.

    timeout_s: how long to wait for another process that works on it. BusyError in the end.
    """
    folder = run.folder / f"model-{number}"
    with leased(folder, timeout_s):
        kept = _kept(folder, split, prepared)
        if kept is not None:
            return kept
        with recorded_split(run.folder, folder.name):
            result = prepared.fit(number, split, start)
        if prepared.inputs is not None:
            keep_split(folder, split_key(folder, split, prepared.inputs), result)
        return result


def refit_run(run: Run, prepared: Prepared, start: Start, timeout_s: float) -> int:
    """Train the networks of all patients, or find that they are; for how many epochs."""
    assert prepared.refit is not None  # else nobody asks for them
    with leased(run.folder / REFIT, timeout_s), recorded_split(run.folder, REFIT):
        return prepared.refit(start)


def missing_splits(run: Run, plan: RunPlan, prepared: Prepared) -> tuple[int, ...]:
    """List the splits whose models are not trained to their end, by number."""
    return tuple(
        number
        for number, split in enumerate(plan.splits)
        if _kept(run.folder / f"model-{number}", split, prepared) is None
    )


def _kept(folder: Path, split: Split, prepared: Prepared) -> SplitResult | None:
    if prepared.inputs is None or not (folder / KEPT).is_file():
        return None
    return read_split(folder, split_key(folder, split, prepared.inputs))


def keep_predictions(
    run: Run, plan: RunPlan, prepared: Prepared, results: Sequence[SplitResult]
) -> None:
    """Calibrate what the splits' models said, decide what they drew, and write both."""
    drawings = pl.concat([result.drawings for result in results])
    levels = [prepared.make_consistent(result.levels) for result in results]
    if prepared.calibrated:
        drawn = set(drawings["finding"])
        each, to_come = calibrate_splits(results, drawn)
        if prepared.read_altered is not None and is_phantoms_only(plan.about["learned_from"]):
            altered = [prepared.read_altered(*split) for split in enumerate(plan.splits)]
            to_come = calibrate_altered(altered, drawn)
        run.write_json(calibration.FILE, to_come.to_dict())
        levels = [
            calibrated_levels(result.levels, own, prepared.make_consistent)
            for result, own in zip(results, each, strict=True)
        ]
    predictions = pl.concat(
        [to_table(level, number) for number, of_split in enumerate(levels) for level in of_split]
    )
    if drawings.height:
        decided = {name: decide_finding(drawings, name) for name in drawings["finding"].unique()}
        for name, finding in decided.items():
            smoothed = smooth_decided(finding, prepared.data)
            predictions = with_calibrated(predictions, smoothed, name)
        rules = {name: finding.decision.to_dict() for name, finding in decided.items()}
        run.write_json(decide.FILE, rules)
        run.write_table(mask_table.FILE, drawings)
    run.write_table(FILE, predictions)
