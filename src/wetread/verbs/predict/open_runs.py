"""verbs/predict/open_runs.py: runs become the ensemble that reads, with what their own predictions
choose: how much each weighs, from where on studies are flagged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wetread.prediction.ensemble import read_ensemble
from wetread.prediction.members import Ensemble
from wetread.prediction.operating import study_operating_point
from wetread.prediction.run_weights import choose_run_weights
from wetread.verbs.predict.read_archive import task_of


def open_runs(runs: Sequence[Path], *, at: str | None, blend: bool) -> Ensemble:
    """Read runs of one task. at, blend: as for `predict`.

    Raises RunError for folders that are no runs of one task, ValueError where their predictions
    cannot choose what is asked for.
    """
    ensemble = read_ensemble(runs)
    task, scalings = task_of(ensemble), ensemble.scalings
    if blend and ensemble.series_models:
        raise ValueError(
            "`blend`: networks of whole series answer with the mean of their logits, and weights "
            "are chosen for a mean of probabilities; leave it out, and all runs weigh alike"
        )
    findings = {level: task.at(level) for level in ("image", "study")}
    weights = choose_run_weights(runs, findings) if blend else None
    point = None if at is None else study_operating_point(runs, scalings, task.headline, at)
    if weights is not None:
        scalings = replace(scalings, weights=weights.weights)
    return replace(ensemble, scalings=scalings, point=point, run_weights=weights)
