"""prediction/ensemble.py: the kept networks of one or more runs, checked to fit each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wetread.archive.errors import WetreadError
from wetread.archive.files.damaged import expect_form
from wetread.archive.files.json_file import read_json
from wetread.archive.types import JsonObject
from wetread.prediction.cautions import describe_origins, find_cautions
from wetread.prediction.in_distribution import RunBounds
from wetread.prediction.members import Ensemble, Member
from wetread.prediction.scaling import read_scalings
from wetread.training import decide
from wetread.training.about import read_about
from wetread.training.bounds import read_bounds
from wetread.training.decide import Decision
from wetread.training.drawings import read_drawings
from wetread.training.measures import read_measure_errors
from wetread.training.series.reader import (
    JOINT_FOLDER,
    SERIES_FILE,
    SeriesModel,
    read_series_model,
)
from wetread.training.series.sequence_fit import BEST as SEQUENCE
from wetread.training.slices.members import fold_checkpoints, refit_checkpoints
from wetread.training.trained_model import read_trained_model


class RunError(WetreadError, ValueError):
    """A folder that is no finished run, or runs that do not fit each other."""


def read_ensemble(runs: Sequence[Path], split: int | None = None) -> Ensemble:
    """Read the kept networks of all runs, or of one of their splits. RunError where a run is not
    finished, or where the runs are of several tasks or sizes."""
    if not runs:
        raise RunError("no run given; train one first: wetread train, or wetread demo")
    about = [_about(run) for run in runs]
    series = tuple(
        (replace(member, run=number), model)
        for number, run in enumerate(runs)
        for member, model in _series_members(run, split)
    )
    members = (
        *(
            replace(member, run=number)
            for number, run in enumerate(runs)
            for member in _slice_members(run, split)
        ),
        *(member for member, _ in series),
    )
    if not members:
        raise RunError(
            f"{runs[0]}: no model that is whole; its training has not reached its first epoch"
        )
    if series and len(series) < len(members):
        raise RunError(
            "some of the runs read whole series and some slices; predict with each alone"
        )
    for run, other in zip(runs[1:], about[1:], strict=True):
        for key in ("task", "findings"):
            if other[key] != about[0][key]:
                raise RunError(
                    f"{run}: its {key} is {other[key]!r}, that of {runs[0]} {about[0][key]!r}"
                )
    sizes = {member.model.view.size for member in members}
    if len(sizes) > 1:
        raise RunError(
            f"the runs look at slices of {sorted(sizes)} pixels; predict with each alone"
        )
    # The masks of a series model's encoders are decided along the whole series.
    of_series = [read_drawings(run) for run in runs] if series else []
    drawn = {() if series else member.model.mask_findings for member in members}
    if len(drawn) > 1:
        raise RunError("some of the runs draw masks and some do not; predict with each alone")
    findings = drawn.pop()
    rules = [_decisions(run) for run in runs] if findings else []
    return Ensemble(
        task=about[0]["task"],
        folder=runs[0],
        findings=tuple(about[0]["findings"]),
        size=sizes.pop(),
        prior=about[0]["prior"],
        members=members,
        series_models=tuple(model for _, model in series),
        drawn=findings,
        decisions={name: tuple(of[name] for of in rules) for name in (rules[0] if rules else ())},
        drawings=() if None in of_series else tuple(one for one in of_series if one is not None),
        measure_errors=read_measure_errors(runs[0]) if findings and len(runs) == 1 else {},
        cautions=find_cautions(about),
        scalings=read_scalings(runs),
        origins=describe_origins(about),
        bounds=tuple(map(_run_bounds, runs)),
    )


def _slice_members(run: Path, split: int | None) -> list[Member]:
    """The networks of slices that read for a run, or the kept ones of a split, in their order."""
    # Only a run whose description says so has finished those of all patients.
    whole = split is None and "refit_epochs" in _about(run)
    files = refit_checkpoints(run) if whole else fold_checkpoints(run, split)
    return [Member(read_trained_model(file), file) for file in files]


def _series_members(run: Path, split: int | None) -> list[tuple[Member, SeriesModel]]:
    """The kept series models of a run's splits, or of one, in their order."""
    which, found = "*" if split is None else str(split), []
    for part in sorted(file.parent for file in run.glob(f"model-{which}/part-*/{SERIES_FILE}")):
        model = read_series_model(part)
        kept = part / JOINT_FOLDER if model.recipe.joint.epochs else part
        found.append((Member(model.encoders[0], kept / SEQUENCE), model))
    return found


def _decisions(run: Path) -> dict[str, Decision]:
    file = run / decide.FILE
    if not file.is_file():
        raise RunError(f"{run} has no {decide.FILE}: its training has not ended; train again")
    values = read_json(file, decide.WANTED)
    with expect_form(file, decide.WANTED):
        return {name: Decision.from_dict(value) for name, value in values.items()}


def _run_bounds(run: Path) -> RunBounds | None:
    bounds = read_bounds(run)
    if bounds is None:
        return None
    return RunBounds(bounds, read_trained_model(run / bounds.checkpoint))


def _about(run: Path) -> JsonObject:
    file = run / "about.json"
    if not file.is_file():
        raise RunError(f"{run} is no run (no about.json); give the folder that wetread train wrote")
    return read_about(run)
