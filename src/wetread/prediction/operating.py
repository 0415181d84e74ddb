"""prediction/operating.py: from which probability on a study is flagged, by a run's own scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.table_file import read_parquet
from wetread.archive.types import Float64Array, JsonObject
from wetread.evaluation.operating_point import (
    AIMS,
    Aim,
    OperatingPoint,
    Rate,
    choose_operating_point,
)
from wetread.prediction.scaling import Scalings
from wetread.training.predictions import FILE, UNCALIBRATED, WANTED


def parse_aim(text: str) -> tuple[Aim, float]:
    """Read "sensitivity=0.95" or "specificity=0.9"; ValueError where it is neither."""
    name, _, share = text.partition("=")
    for aim in AIMS:
        if name == aim:
            try:
                return aim, float(share)
            except ValueError:
                break
    raise ValueError(
        f"`at`: {text!r}; give sensitivity=SHARE or specificity=SHARE, as in sensitivity=0.95"
    )


def study_operating_point(
    runs: Sequence[Path], scalings: Scalings, finding: str, at: str
) -> OperatingPoint:
    """Choose the operating point of studies by the predictions of a run for patients whom its
    models never saw.

    Raises ValueError for several runs, whose mean has no such predictions, for a run without
    predictions of studies, and where too few patients are scored.
    """
    aim, stated = parse_aim(at)
    if len(runs) != 1:
        raise ValueError(
            f"`at`: {len(runs)} runs; a threshold is chosen by the scores of one run, give one"
        )
    file = runs[0] / FILE
    if not file.is_file():
        raise ValueError(f"`at`: {runs[0]} has no {FILE}, by which a threshold could be chosen")
    table = read_parquet(file, expected=WANTED).filter(
        pl.col("level") == "study", pl.col("finding") == finding
    )
    try:
        return choose_operating_point(
            table["truth"].fill_null(float("nan")).to_numpy(),
            _as_read(table, scalings, finding),
            table["patient"].to_list(),
            aim=aim,
            stated=stated,
            rng=np.random.default_rng(0),
        )
    except ValueError as error:
        raise ValueError(f"`at`: {runs[0]}: {error}") from error


def shift_point(point: OperatingPoint, scalings: Scalings, finding: str) -> OperatingPoint:
    """Move the threshold of studies to where a stated prevalence moves probabilities."""
    shift = scalings.shift("study", finding)
    return replace(point, threshold=float(shift.apply(np.array(min(1.0, point.threshold)))))


def _as_read(table: pl.DataFrame, scalings: Scalings, finding: str) -> Float64Array:
    """The probabilities (N,) of a run's own predictions as a new study would be given them: each
    part of a run is scaled by its other patients, new studies are scaled by one scaling for all."""
    fitted = any(finding in run.fitted.get("study", {}) for run in scalings.runs)
    if not fitted or UNCALIBRATED not in table.columns or table[UNCALIBRATED].null_count():
        return table["probability"].to_numpy()
    (calibration,) = scalings.runs
    return calibration.apply("study", (finding,), table[UNCALIBRATED].to_numpy()[:, None])[:, 0]


def describe_point(point: OperatingPoint) -> JsonObject:
    """Return plain values, for a reading's provenance."""
    return {
        **asdict(point),
        "chosen_on": "the run's scored patients; sensitivity and specificity are of patients "
        "called by thresholds that others of them chose",
    }


def point_of(values: JsonObject) -> OperatingPoint:
    """Read what describe_point gave. ValueError where it is none."""
    aim, stated = parse_aim(f"{values['aim']}={values['stated']}")
    return OperatingPoint(
        aim=aim,
        stated=stated,
        threshold=float(values["threshold"]),
        sensitivity=Rate(**values["sensitivity"]),
        specificity=Rate(**values["specificity"]),
        patients=int(values["patients"]),
        positives=int(values["positives"]),
    )


def point_sentence(point: OperatingPoint, finding: str) -> str:
    """Say from where on studies are flagged, and what that gave on patients who did not choose."""
    return (
        f"Flagged: {finding} {point.threshold:.3f} or more, chosen for a {point.aim} of "
        f"{point.stated:g} by {point.patients} patients with the run's own labels. Among them, "
        f"each called by a threshold that others chose: sensitivity {_words(point.sensitivity)}, "
        f"specificity {_words(point.specificity)}; elsewhere it may be another."
    )


def _words(rate: Rate) -> str:
    interval = "" if rate.low is None else f" ({rate.low:.2f} to {rate.high:.2f})"
    return f"{rate.value:.2f}{interval}"
