"""training/data.py: the labelled slices, and how their patients are parted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wetread.evaluation.aggregate import smooth_along_z
from wetread.evaluation.baselines import histogram_features
from wetread.labels.finding import Finding, finding_names
from wetread.store.store import Store, acquisition_keys
from wetread.training.folds import FoldPlan, make_folds, make_split
from wetread.training.masks import AnnotatedMasks

SHARES = {"train": 0.70, "validation": 0.10, "held_out": 0.20}  # of one split
INNER = {"train": 0.85, "validation": 0.15}  # of what a fold leaves to learn from
FEWEST_TO_VALIDATE = 8  # patients; with fewer, the last epoch is kept and nothing is chosen

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LabeledSlices:
    """The labelled slices: rows (N,) of the store, truth (N, F), NaN unknown, N masks where the
    task has findings that are drawn, and what the histogram baseline sees of a slice."""

    store: Store
    rows: Rows
    truth: NDArray[np.float64]
    findings: tuple[Finding, ...]
    masks: AnnotatedMasks | None = None
    histogram: Callable[[NDArray[np.float32]], NDArray[np.float32]] = histogram_features

    def column(self, name: str) -> list[str]:
        """A column of the store's table, for these rows."""
        values: list[str] = self.store.slices[name].gather(self.rows).to_list()
        return values

    def order(self) -> list[str]:
        """The patients in the order in which they are dealt; none where the store has none."""
        slices = self.store.slices
        if "patient_order" not in slices.columns:
            return []
        once = slices.select("patient", "patient_order").unique().sort("patient_order")
        patients: list[str] = once["patient"].to_list()
        return patients

    def smooth(self, probability: NDArray[np.float64], places: Rows) -> NDArray[np.float64]:
        """Probabilities (N, F) of those places: neighbours in a series speak for each other."""
        series = np.array(acquisition_keys(self.store.slices).gather(self.rows).to_list())[places]
        position = np.array(self.column("position_mm"), dtype=np.float64)[places]
        smoothed: NDArray[np.float64] = smooth_along_z(probability, series.tolist(), position)
        return smoothed


@dataclass(frozen=True, eq=False)
class Split:
    """Places among the labelled slices: what is fitted, what chooses the epoch, what is scored."""

    name: str  # of the scored part: held_out or out_of_fold
    train: Rows
    validation: Rows
    scored: Rows


def plan_splits(data: LabeledSlices, folds: int, seed: int) -> tuple[FoldPlan, list[Split]]:
    """Patients to one split, or to K folds, each scored once by a model of the others."""
    patients, names = data.column("patient"), finding_names(data.findings)
    if folds == 0:
        plan = make_split(patients, data.truth, SHARES, seed, names, data.order())
        parts = {part: np.flatnonzero(plan.mask(part, patients)) for part in plan.parts}
        split = Split("held_out", parts["train"], parts["validation"], parts["held_out"])
        return plan, [split]
    plan = make_folds(patients, data.truth, folds, seed, names, data.order())
    splits = []
    for number, part in enumerate(plan.parts):
        inside = plan.mask(part, patients)
        fitted, validation = _inner(data, np.flatnonzero(~inside), seed + number)
        splits.append(Split("out_of_fold", fitted, validation, np.flatnonzero(inside)))
    return plan, splits


def _inner(data: LabeledSlices, places: Rows, seed: int) -> tuple[Rows, Rows]:
    """What a fold leaves, split again: the scored patients never choose the epoch."""
    all_patients = data.column("patient")
    patients = [all_patients[place] for place in places]
    if len(set(patients)) < FEWEST_TO_VALIDATE:
        return places, places[:0]
    inner = make_split(patients, data.truth[places], INNER, seed, order=data.order())
    return places[inner.mask("train", patients)], places[inner.mask("validation", patients)]


def mirror_columns(findings: tuple[Finding, ...]) -> Rows:
    """(F,) for each finding the column it becomes when left and right change places."""
    names = finding_names(findings)
    return np.array([names.index(f.mirror or f.name) for f in findings], dtype=np.int64)
