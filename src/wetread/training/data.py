"""training/data.py: labeled slices, and how their patients are parted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.archive.types import Float32Array, Float64Array, Int64Array
from wetread.evaluation.aggregate import smooth_along_z
from wetread.evaluation.baselines import histogram_features
from wetread.evaluation.header_baseline import HeaderFeatures
from wetread.labels.finding import Finding, finding_names
from wetread.store.store import Store, acquisition_keys
from wetread.training.crops import FindInside
from wetread.training.folds import FoldPlan, make_folds, make_split
from wetread.training.masks import AnnotatedMasks
from wetread.training.slices.grafts import Grafts

HELD_OUT = "held_out"
SHARES = {"train": 0.70, "validation": 0.10, "held_out": 0.20}  # of one split
INNER = {"train": 0.85, "validation": 0.15}  # of what a fold leaves to learn from
FEWEST_TO_VALIDATE = 8  # patients; with fewer, the last epoch is kept and nothing is chosen


@dataclass(frozen=True, eq=False)
class LabeledSlices:
    """Slices with labels.

    rows:      (N,) of the store.
    truth:     (N, F), NaN unknown.
    masks:     of the N slices, where the task has findings of level pixel.
    histogram: HU (H, W) of a slice -> features (D,) of the histogram baseline.
    grafts:    how lesions are painted into slices that are learned; None: not.
    inside:    where in HU (H, W) of a slice findings can lie; None: anywhere.
    header:    of the N slices, for the baseline of headers; None where headers are not at hand.
    """

    store: Store
    rows: Int64Array
    truth: Float64Array
    findings: tuple[Finding, ...]
    masks: AnnotatedMasks | None = None
    histogram: Callable[[Float32Array], Float32Array] = histogram_features
    grafts: Grafts | None = None
    inside: FindInside | None = None
    header: HeaderFeatures | None = None

    def column(self, name: str) -> list[str]:
        """Read a column of the store's table, for these rows."""
        values: list[str] = self.store.slices[name].gather(self.rows).to_list()
        return values

    def order(self) -> list[str]:
        """List the patients in the order in which they are dealt; none where the store has none."""
        slices = self.store.slices
        if "patient_order" not in slices.columns:
            return []
        once = slices.select("patient", "patient_order").unique().sort("patient_order")
        patients: list[str] = once["patient"].to_list()
        return patients

    def smooth(self, probability: Float64Array, places: Int64Array) -> Float64Array:
        """Smooth probabilities (n, F) of some places (n,) along their series."""
        return smooth_slices(probability, self.store.slices[self.rows[places]])


def smooth_slices(probability: Float64Array, slices: pl.DataFrame) -> Float64Array:
    """Smooth probabilities (n, F) of slices, rows of a store's table, along their series."""
    position = slices["position_mm"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return smooth_along_z(probability, acquisition_keys(slices).to_list(), position)


@dataclass(frozen=True, eq=False)
class Split:
    """Places among the labeled slices: to train on, to choose the epoch by, to score."""

    name: str  # of the scored part: held_out or out_of_fold
    train: Int64Array
    validation: Int64Array
    scored: Int64Array

    @property
    def is_only(self) -> bool:
        """Whether it is the one split of a run: no other fold's patients can choose for it."""
        return self.name == HELD_OUT


def plan_splits(data: LabeledSlices, folds: int, seed: int) -> tuple[FoldPlan, list[Split]]:
    """Deal patients to one split, or to K folds, each scored once by a model of the others."""
    patients, names = data.column("patient"), finding_names(data.findings)
    if folds == 0:
        plan = make_split(patients, data.truth, SHARES, seed, names, data.order())
        parts = {part: np.flatnonzero(plan.mask(part, patients)) for part in plan.parts}
        split = Split(HELD_OUT, parts["train"], parts["validation"], parts["held_out"])
        return plan, [split]
    plan = make_folds(patients, data.truth, folds, seed, names, data.order())
    splits = []
    for number, part in enumerate(plan.parts):
        inside = plan.mask(part, patients)
        fitted, validation = _inner(data, np.flatnonzero(~inside), seed + number)
        splits.append(Split("out_of_fold", fitted, validation, np.flatnonzero(inside)))
    return plan, splits


def _inner(data: LabeledSlices, places: Int64Array, seed: int) -> tuple[Int64Array, Int64Array]:
    """Split what a fold leaves, (n,), again: the scored patients never choose the epoch."""
    all_patients = data.column("patient")
    patients = [all_patients[place] for place in places]
    if len(set(patients)) < FEWEST_TO_VALIDATE:
        return places, places[:0]
    inner = make_split(patients, data.truth[places], INNER, seed, order=data.order())
    return places[inner.mask("train", patients)], places[inner.mask("validation", patients)]


def mirror_columns(findings: tuple[Finding, ...]) -> Int64Array:
    """Find for each finding the column it becomes when left and right change places, (F,)."""
    names = finding_names(findings)
    return np.array([names.index(f.mirror or f.name) for f in findings], dtype=np.int64)
