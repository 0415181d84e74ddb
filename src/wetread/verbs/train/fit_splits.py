"""verbs/train/fit_splits.py: patients dealt, a model learned for each split, predictions kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from wetread.archive.files.lock import locked
from wetread.archive.types import JsonObject
from wetread.inputs.patients import describe_folds
from wetread.labels.finding import finding_names, finding_weights
from wetread.training import calibration, decide, mask_table
from wetread.training.about import REFIT
from wetread.training.data import Split, plan_splits
from wetread.training.decide import decide_finding, smooth_decided, with_calibrated
from wetread.training.origin import count_origins, is_phantoms_only, phantom_studies
from wetread.training.predictions import FILE, to_table
from wetread.training.run import Run
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
    saw; then, where the recipe says so, networks of all patients."""
    if not any(run.folder.glob("model-*/**/last.pt")):
        plan.write(run)
    results = []
    for number, split in enumerate(plan.splits):
        with locked(run.folder / f"model-{number}"):
            results.append(prepared.fit(number, split, start))
    if prepared.refit is not None:
        with locked(run.folder / REFIT):
            epochs = prepared.refit(start)
        plan = replace(plan, about={**plan.about, "refit_epochs": epochs})
    plan.write(run)  # of a run that goes on: only now, it would have been refused were it another
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
