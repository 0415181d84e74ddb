"""prediction/members.py: the networks that read together, and how their answers become readings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wetread.archive.types import Float64Array
from wetread.evaluation.operating_point import OperatingPoint
from wetread.prediction.in_distribution import RunBounds
from wetread.prediction.run_weights import RunWeights
from wetread.prediction.scaling import Scalings
from wetread.training.decide import Decision
from wetread.training.drawings import Drawings
from wetread.training.measures import MeasureError
from wetread.training.networks import SeriesNetworks, SliceNetwork
from wetread.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Member:
    """A trained network of slices and its checkpoint; of a series model, its first encoder and the
    checkpoint of the network over it. run: the number of its run."""

    model: SliceNetwork
    checkpoint: Path
    run: int = 0


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trained networks of one task, from one or more runs, of slices of one size.

    folder:        of its first run, which keeps a task that was given as a file.
    size:          rows and columns of a packed slice, pixels.
    prior:         finding to its share in training, what an unreadable image is given.
    series_models: one a member where runs judge whole series, else ().
    drawn:         findings of which masks are drawn.
    decisions:     of each of them, one a run.
    drawings:      where runs judge whole series: how each decides what its encoders draw; () where
                   one of them does not, and nothing is drawn.
    measure_errors: of numbers that are measured in masks of slices, where one run alone draws.
    cautions:      names of prediction/cautions.py that hold for the answers.
    scalings:      of the probabilities, by what the runs were calibrated on.
    origins:       what the runs learned from and were scored on, in words.
    bounds:        what is inside of that which each run learned; None of a run that has none.
    run_weights:   how much each run weighs in the mean; None: every member alike.
    bundle:        the digest of the bundle that it was read from; None: of runs.
    point:         from which probability of the headline on a study is flagged; None: none is.
    """

    task: str
    folder: Path
    findings: tuple[str, ...]
    size: int
    prior: dict[str, float]
    members: tuple[Member, ...]
    series_models: tuple[SeriesNetworks, ...] = ()
    drawn: tuple[str, ...] = ()
    decisions: Mapping[str, tuple[Decision, ...]] = field(default_factory=dict)
    drawings: tuple[Drawings, ...] = ()
    measure_errors: Mapping[str, MeasureError] = field(default_factory=dict)
    cautions: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    bounds: tuple[RunBounds | None, ...] = ()
    scalings: Scalings = field(default_factory=Scalings)
    point: OperatingPoint | None = None
    run_weights: RunWeights | None = None
    bundle: str | None = None

    @property
    def member_weights(self) -> Float64Array:
        """Return how much each of the M members weighs in their mean, (M,), on average 1: the
        members of a run share its weight."""
        if self.run_weights is None:
            return np.ones(len(self.members))
        runs = np.array([member.run for member in self.members])
        shares = np.array(self.run_weights.weights)[runs] / np.bincount(runs)[runs]
        weights: Float64Array = shares * len(runs) / shares.sum()
        return weights

    @property
    def weights_of_runs(self) -> tuple[float, ...] | None:
        """The weights of the runs in their mean; None where all weigh alike."""
        return None if self.run_weights is None else self.run_weights.weights

    @property
    def recipe(self) -> Recipe:
        """The settings of its first run."""
        return (self.series_models[0] if self.series_models else self.members[0].model).recipe
