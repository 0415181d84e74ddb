"""verbs/bundle/describe.py: what bundle.json says: all that reading needs, and its origin."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from wetread.archive.files.digests import file_digest
from wetread.archive.types import JsonObject
from wetread.archive.version import VERSION
from wetread.labels.finding import Finding
from wetread.prediction.bundle import FORM
from wetread.prediction.members import Ensemble
from wetread.prediction.operating import describe_point
from wetread.prediction.scaling import LEVELS
from wetread.store.store import digest_of, open_store
from wetread.tasks import TASK_FILE, Task
from wetread.training.about import read_about, read_run_recipe
from wetread.training.measures import errors_to_dict
from wetread.training.run import Run
from wetread.verbs.bundle.networks import Exported

CODE_LICENSE = "Apache-2.0"
NO_LICENSE = "not stated; ask who trained the networks, and see the terms of the data they learned"


def describe_bundle(
    runs: Sequence[Path], ensemble: Ensemble, task: Task, exported: Exported, license: str | None
) -> JsonObject:
    """Describe a bundle as plain values, without anything of a single patient.

    license: of the weights; None: not stated.
    """
    point, weights = ensemble.point, ensemble.run_weights
    return {
        "form": FORM,
        "wetread": VERSION,
        "note": "research use only, not for diagnosis",
        "task": {
            "name": ensemble.task,
            "title": task.title,
            "modalities": list(task.modalities),
            "headline": task.headline,
            "file": None if task.source is None else TASK_FILE,
            "findings": [_finding(one, task.descriptions) for one in task.findings],
            "drawn": list(ensemble.drawn),
        },
        "findings": list(ensemble.findings),
        "view": ensemble.members[0].model.view.to_dict(),
        "size": ensemble.size,
        "networks": exported.networks,
        "series": exported.series,
        "prior": ensemble.prior,
        "scalings": {
            "runs": [run.to_dict() for run in ensemble.scalings.runs],
            "prevalence": {
                level: dict(ensemble.scalings.prevalence.get(level, {})) for level in LEVELS
            },
        },
        "drawn": list(ensemble.drawn),
        "decisions": {
            name: [one.to_dict() for one in of_runs] for name, of_runs in ensemble.decisions.items()
        },
        "drawings": [one.to_dict() for one in ensemble.drawings],
        "measure_errors": errors_to_dict(ensemble.measure_errors),
        "bounds": exported.bounds,
        "operating_point": None if point is None else describe_point(point),
        "run_weights": None if weights is None else weights.to_dict(),
        "cautions": list(ensemble.cautions),
        "origins": list(ensemble.origins),
        "scores": [_scores(run) for run in runs],
        "provenance": {"runs": [_run(run) for run in runs]},
        "license": {"code": CODE_LICENSE, "weights": license or NO_LICENSE},
    }


def _finding(one: Finding, descriptions: Mapping[str, str]) -> JsonObject:
    return {
        "name": one.name,
        "level": one.level,
        "weight": one.weight,
        "mirror": one.mirror,
        "description": descriptions.get(one.name, ""),
    }


def _scores(run: Path) -> list[JsonObject]:
    """Read the scores of a run's last evaluation; none where it has none."""
    if not (run / "scores.json").is_file():
        return []
    found: list[JsonObject] = Run(run).scores.to_dict()["scores"]
    return found


def _run(run: Path) -> JsonObject:
    """Say where a run comes from: its digest, its counts, its settings; no patient is named."""
    about = read_about(run)
    parts = ("learned_from", "chosen_on", "scored_on", "counts", "folds", "patients_from")
    return {
        "digest": run_digest(run),
        "data_digest": _data_digest(run),
        **{name: about[name] for name in parts if name in about},
        "recipe": read_run_recipe(run).model_dump(mode="json"),
    }


def run_digest(run: Path) -> str:
    """Digest what a run reads by: its settings, description, calibration and kept weights."""
    digest = hashlib.sha256()
    plain = [path for path in run.glob("*.json") if path.name != "folds.json"]
    kept = [path for path in run.rglob("*.pt") if not path.name.endswith("last.pt")]
    for path in sorted((*plain, *kept)):
        digest.update(f"{file_digest(path)}  {path.relative_to(run).as_posix()}\n".encode())
    return digest.hexdigest()


def _data_digest(run: Path) -> str | None:
    """Digest the packed slices that a run learned from; None where they are there no more."""
    if not (run / "store").is_dir():
        return None
    return digest_of(open_store(run / "store").slices)
