"""training/about.py: the plain files of a run (about, recipe, folds, metrics), read and checked."""

from __future__ import annotations

import math
from pathlib import Path
from types import NoneType

from wetread.archive.files.damaged import DamagedFileError, expect_form
from wetread.archive.files.json_file import parse_json, read_json
from wetread.archive.types import JsonObject
from wetread.training.origin import is_phantoms_only
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import check_recipe

REFIT = "refit"  # a folder of a run: the networks of all patients
_ABOUT = "the description of a run, which wetread train writes; train again"
_RECIPE = "the settings of a run, which wetread train writes; train again"
_FOLDS = "the parts of a run's patients, which wetread train writes; train again"
_METRICS = "a run's numbers of each epoch, which wetread train writes; train again"


def read_about(run: Path) -> JsonObject:
    """Read a run's about.json: task, findings and their priors, counts. DamagedFileError where it
    is of another form."""
    path = run / "about.json"
    needs: dict[str, type | tuple[type, ...]] = {
        "task": str, "findings": list, "prior": dict, "counts": dict, "patients_from": str,
    }  # fmt: skip
    about = read_json(path, _ABOUT, needs)
    with expect_form(path, _ABOUT):
        shares = [float(about["prior"][name]) for name in about["findings"]]
        if not all(math.isfinite(share) and 0 <= share <= 1 for share in shares):
            raise ValueError("a prior that is no probability")
        for key in ("learned_from", "scored_on"):
            if key in about:  # which runs of before do not say
                is_phantoms_only(about[key])
    return about


def read_run_recipe(run: Path) -> Recipe:
    """Read a run's recipe.json. DamagedFileError where it is of another form."""
    path = run / "recipe.json"
    values = read_json(path, _RECIPE, {"seed": int})
    with expect_form(path, _RECIPE):
        return check_recipe(values, str(path))


def read_fold_proof(run: Path) -> JsonObject:
    """Read the proof of a run's folds.json that no patient is in two parts; where it is not known
    which studies are of one patient, its shared_patients are None."""
    path = run / "folds.json"
    folds = read_json(path, _FOLDS, {"proof": (dict, NoneType)})
    with expect_form(path, _FOLDS):
        proof: JsonObject = folds["proof"] or {
            "shared_patients": None,
            "parts": folds["balance"],
        }
        _ = dict(proof["parts"])
    return proof


def read_assignment(run: Path) -> dict[str, str]:
    """Read which part each patient of a run's folds.json is in."""
    assignment: dict[str, str] = read_json(run / "folds.json", _FOLDS, {"assignment": dict})[
        "assignment"
    ]
    return assignment


def metrics_files(run: Path) -> list[Path]:
    """Find the metrics of all networks of a run, in the order of their folders: those of its
    splits, then those of all patients."""
    found = (run.glob(f"{folder}/**/metrics.jsonl") for folder in ("model-*", REFIT))
    return [file for files in found for file in sorted(files)]


def read_metrics(path: Path) -> tuple[JsonObject, ...]:
    """Read the lines of a metrics.jsonl."""
    needs: dict[str, type | tuple[type, ...]] = {"epoch": int}
    lines = path.read_bytes().splitlines()
    try:
        return tuple(parse_json(line, path, _METRICS, needs) for line in lines)
    except DamagedFileError as error:
        raise DamagedFileError(path, _METRICS, f"in a line: {error.found}") from None
