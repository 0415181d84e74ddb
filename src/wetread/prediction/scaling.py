"""prediction/scaling.py: how the probabilities of an ensemble are scaled before they are given."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.table_file import read_parquet
from wetread.archive.types import Float64Array, FloatArray, JsonObject
from wetread.evaluation.platt import (
    IDENTITY,
    PlattScaling,
    mean_scaling,
    prevalence_shift,
    scale_columns,
)
from wetread.training.calibration import Calibration, Level, read_calibration
from wetread.training.predictions import FILE, WANTED

LEVELS: tuple[Level, ...] = ("image", "study")
Shares = Mapping[Level, Mapping[str, float]]  # level -> finding -> share of positives


@dataclass(frozen=True)
class Scalings:
    """The scalings of an ensemble's probabilities, and the prevalence that they assume.

    runs:       the calibration of each run; the ensemble's is the mean of their logits.
    prevalence: the share of positives that probabilities mean before any other is stated.
    stated:     finding to the share of positive studies that the user states for this archive.
    weights:    of each run in the mean; none: all alike.
    """

    runs: tuple[Calibration, ...] = ()
    prevalence: Shares = field(default_factory=dict)
    stated: Mapping[str, float] = field(default_factory=dict)
    weights: tuple[float, ...] = ()

    def scaling(self, level: Level, finding: str) -> PlattScaling:
        """Return the scaling of a finding at a level, the shift of its prevalence included."""
        each = [run.scaling(level, finding) for run in self.runs]
        calibrated = mean_scaling(each, self.weights) if each else IDENTITY
        return calibrated.then(self.shift(level, finding))

    def shift(self, level: Level, finding: str) -> PlattScaling:
        """Return the shift to the stated prevalence; the identity where none is stated.

        The share of positive images moves in proportion to that of positive studies.
        """
        if finding not in self.stated or finding not in self.prevalence.get(level, {}):
            return IDENTITY
        before, now = self.prevalence[level][finding], self.stated[finding]
        if level != "study":
            now = before * now / self.prevalence["study"][finding]
        return prevalence_shift(before, now)

    def apply(self, level: Level, findings: Sequence[str], values: FloatArray) -> Float64Array:
        """Scale probabilities (N, F) of a level, a column a finding."""
        return scale_columns(values, [self.scaling(level, name) for name in findings])

    def sentences(self) -> tuple[str, ...]:
        """Say what the probabilities were calibrated on, and which prevalence was stated."""
        sources = dict.fromkeys(one.describe() for run in self.runs for one in run.on)
        found = [f"Calibrated on {'; then on '.join(sources)}."] if sources else []
        for name, share in self.stated.items():
            before = self.prevalence["study"][name]
            found.append(
                f"{name.replace('_', ' ').capitalize()}: {share:.1%} of studies were stated to "
                f"have it, where the probabilities assumed {before:.1%}; the odds of each study "
                "were multiplied by "
                f"{math.exp(self.shift('study', name).bias):.3g}."
            )
        return tuple(found)

    def includes(self, study_uid: str) -> bool:
        """Whether a run was calibrated on a study."""
        return any(run.includes(study_uid) for run in self.runs)

    def to_dict(self) -> JsonObject:
        """Return plain values for a reading's provenance: what each run was calibrated on, and the
        stated prevalence beside that which it replaces."""
        sources = [[one.source for one in run.on] for run in self.runs]
        return {
            "calibration": sources if any(sources) else None,
            "prevalence": {
                name: {"stated": share, "assumed_before": self.prevalence["study"][name]}
                for name, share in self.stated.items()
            },
        }


def scalings_of(calibrations: Sequence[JsonObject], prevalence: Shares) -> Scalings:
    """Make the scalings of calibrations, as Calibration.to_dict gave them, and of the prevalence
    that they assume."""
    runs = tuple(Calibration.from_dict(one) for one in calibrations)
    shares = {
        level: {name: float(share) for name, share in findings.items()}
        for level, findings in prevalence.items()
    }
    return Scalings(runs, shares)


def read_scalings(runs: Sequence[Path]) -> Scalings:
    """Read the calibrations of runs, and the prevalence that their probabilities assume."""
    calibrations = tuple(read_calibration(run) for run in runs)
    assumed = [
        _assumed_prevalence(run, calibration)
        for run, calibration in zip(runs, calibrations, strict=True)
    ]
    return Scalings(calibrations, _mean_shares(assumed) if assumed else {})


def state_prevalence(scalings: Scalings, stated: Mapping[str, float]) -> Scalings:
    """Return the scalings for an archive of which the share of positive studies is stated.

    Raises ValueError for a finding of no study, for one whose prevalence in training is not known,
    and for a share that is not strictly between 0 and 1 or that no share of images goes with.
    """
    known = scalings.prevalence.get("study", {})
    for name, share in stated.items():
        if name not in known:
            names = ", ".join(known) or "none: the run does not say which it assumes"
            raise ValueError(
                f"`prevalence`: no finding {name!r} whose prevalence could be another; "
                f"there are: {names}"
            )
        if not 0.0 < share < 1.0:
            raise ValueError(
                f"`prevalence`: {name}={share}; give the share of studies that have it, above 0 "
                "and below 1"
            )
    shifted = replace(scalings, stated=dict(stated))
    for name in stated:
        for level in LEVELS:
            if name in scalings.prevalence.get(level, {}):
                shifted.shift(level, name)
    return shifted


def _assumed_prevalence(run: Path, calibration: Calibration) -> dict[Level, dict[str, float]]:
    """Return the share of positives that a run's probabilities mean: of what it was calibrated on,
    else of what it learned from, as its predictions have it; without these nothing is known."""
    shares: dict[Level, dict[str, float]] = {level: {} for level in LEVELS}
    if (run / FILE).is_file():
        columns = ["level", "finding", "prior"]
        table = read_parquet(run / FILE, columns=columns, expected=WANTED)
        means = table.group_by("level", "finding", maintain_order=True).agg(pl.col("prior").mean())
        for level, finding, prior in means.iter_rows():
            if prior is not None and 0.0 < prior < 1.0:
                shares.setdefault(level, {})[finding] = float(prior)
    for level, findings in calibration.fitted.items():
        for name, one in findings.items():
            if one.kind in ("slope and bias", "bias") and 0.0 < one.share < 1.0:
                shares.setdefault(level, {})[name] = one.share
    return shares


def _mean_shares(shares: Sequence[dict[Level, dict[str, float]]]) -> Shares:
    """Return the mean share of each finding that all runs know."""
    found: dict[Level, dict[str, float]] = {}
    for level in LEVELS:
        names = [name for name in shares[0][level] if all(name in one[level] for one in shares)]
        found[level] = {
            name: float(np.mean([one[level][name] for one in shares])) for name in names
        }
    return found
