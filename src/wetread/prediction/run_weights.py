"""prediction/run_weights.py: how much each of several runs weighs in their mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.plural import plural
from wetread.archive.types import JsonObject
from wetread.evaluation.metrics import weighted_log_loss
from wetread.evaluation.mixture import crossfitted_loss, mixture_weights
from wetread.labels.finding import Finding, finding_names, finding_weights
from wetread.training.predictions import FILE, UNCALIBRATED, read_predictions

FEWEST = 20  # patients whom all runs have read without having seen them


@dataclass(frozen=True)
class RunWeights:
    """The weights of runs in their mean, in sum 1, and what they win.

    chosen, alike: weighted log loss of the images that all runs read without having seen them: of
        the mean under weights that other patients chose, and of the plain mean.
    each: of each run alone.
    """

    weights: tuple[float, ...]
    patients: int
    images: int
    chosen: float
    alike: float
    each: tuple[float, ...]

    def sentence(self) -> str:
        """Say how the runs weigh, and what that wins."""
        weights = ", ".join(f"{weight:.2f}" for weight in self.weights)
        return (
            f"The runs weigh {weights}, chosen on {plural(self.images, 'image')} of "
            f"{plural(self.patients, 'patient')} whom none of their models had seen; log loss "
            f"there {self.chosen:.4f} under weights that other patients chose, {self.alike:.4f} "
            f"if they weigh alike, {', '.join(f'{loss:.4f}' for loss in self.each)} each alone."
        )

    def to_dict(self) -> JsonObject:
        """Return plain values, for a reading's provenance."""
        return {
            "weights": list(self.weights),
            "chosen_on": {"patients": self.patients, "images": self.images},
            "log_loss": {"chosen": self.chosen, "alike": self.alike, "each": list(self.each)},
        }


def run_weights_of(values: JsonObject) -> RunWeights:
    """Read what RunWeights.to_dict gave."""
    loss = values["log_loss"]
    return RunWeights(
        tuple(map(float, values["weights"])),
        int(values["chosen_on"]["patients"]),
        int(values["chosen_on"]["images"]),
        float(loss["chosen"]),
        float(loss["alike"]),
        tuple(map(float, loss["each"])),
    )


def choose_run_weights(
    runs: Sequence[Path], findings: Mapping[str, Sequence[Finding]]
) -> RunWeights:
    """Choose the weights of several runs by the images that each of them read without having seen
    the patient: held out, or out of fold.

    findings: of each level. Raises ValueError where the runs have no such images in common, or of
    fewer than FEWEST patients.
    """
    tables = [_images(run, findings) for run in runs]
    shared = tables[0].select("id", "finding", "patient", "truth")
    for number, table in enumerate(tables):
        column = table.select("id", "finding", pl.col("given").alias(f"given-{number}"))
        shared = shared.join(column, on=["id", "finding"], how="inner", maintain_order="left")
    names = finding_names(findings["image"])
    patients = shared["patient"].gather_every(len(names)).to_list()
    if len(set(patients)) < FEWEST:
        raise ValueError(
            f"`blend`: the runs have {len(set(patients))} patients in common whom none of their "
            f"models had seen; weights are chosen on {FEWEST} at least. Give runs that were dealt "
            "the same patients in folds, or leave the weights alike"
        )

    def matrix(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Read a column as (N, F), NaN where it is null."""
        values = shared[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        return np.asarray(values, np.float64).reshape(-1, len(names))

    truth, weights = matrix("truth"), finding_weights(tuple(findings["image"]))
    given = np.stack([matrix(f"given-{number}") for number in range(len(runs))])
    chosen = mixture_weights(truth, given, weights)
    return RunWeights(
        tuple(chosen.tolist()),
        len(set(patients)),
        len(truth),
        crossfitted_loss(truth, given, weights, patients, np.random.default_rng(0)),
        weighted_log_loss(truth, given.mean(axis=0), weights),
        tuple(weighted_log_loss(truth, one, weights) for one in given),
    )


def _images(run: Path, findings: Mapping[str, Sequence[Finding]]) -> pl.DataFrame:
    """Read what a run said of images that it had not seen, before calibration where it is known."""
    if not (run / FILE).is_file():
        raise ValueError(f"`blend`: {run} has no {FILE}, by which weights could be chosen")
    table = read_predictions(run / FILE, findings).filter(pl.col("level") == "image")
    return table.with_columns(given=pl.coalesce(UNCALIBRATED, "probability"))
