"""training/series/spec.py: how a task whose findings are of whole studies is learned, as a value.

It has the attributes and methods of training/slices/spec.py, so that no one need ask which it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from wetread.archive.types import Float32Array, Float64Array, Int64Array
from wetread.evaluation.baselines import histogram_features
from wetread.labels.exams import exams_of_archive, refuse_nameless
from wetread.labels.finding import Finding
from wetread.labels.table import EXAM_SCHEMA
from wetread.store.pack_series import FindBoxes
from wetread.training.crops import Crops
from wetread.training.measures import MaskMeasure
from wetread.training.phantom_recipe import phantom_recipe
from wetread.training.series.pooling import Pool

if TYPE_CHECKING:  # a task is a value that loads no torch
    from wetread.training.losses import SeriesLoss
    from wetread.training.recipe import Recipe
    from wetread.training.series.series import Series

SliceTargets = Callable[[Float64Array, Float64Array], Float64Array]
MakeConsistent = Callable[
    [Float64Array, Float64Array, Int64Array], tuple[Float64Array, Float64Array]
]
CountedTruth = Callable[[Float64Array, Float64Array, Int64Array], tuple[Float64Array, Float64Array]]
BrokenRules = Callable[[Float64Array, Float64Array, Int64Array], list[tuple[str, ...]]]


def as_answered(
    image: Float64Array, study: Float64Array, starts: Int64Array
) -> tuple[Float64Array, Float64Array]:
    """Return probabilities (N, I) of slices, (E, S) of studies as they are: no rule binds them."""
    return image, study


def no_broken_rules(
    image: Float64Array, study: Float64Array, starts: Int64Array
) -> list[tuple[str, ...]]:
    """Return no broken rule for each of the E studies; image (N, I), study (E, S)."""
    return [() for _ in range(len(study))]


@dataclass(frozen=True)
class CropEncoder:
    """An encoder of the slices of one crop, and its targets.

    findings:      its outputs, with their weights and mirror twins.
    slice_targets: truth of the images (N, I), and of their studies at each image (N, S), NaN
                   unknown -> targets of the slices, (N, F).
    drawn:         findings of level pixel that it draws, where the recipe has a decoder.
    steps:         of its training on phantoms, as a share of the first encoder's: what is large
                   takes few.
    """

    name: str
    findings: tuple[Finding, ...]
    slice_targets: SliceTargets
    drawn: tuple[Finding, ...] = ()
    steps: float = 1.0


@dataclass(frozen=True)
class SeriesSpec:
    """Findings of slices and of studies that are read from whole series.

    image_findings, study_findings: in the column order of their arrays.
    encoders:        one a crop; their features are concatenated.
    find_boxes:      values (Z, rows, columns) of a series -> each encoder's crop, in source pixels.
    loss:            the series learned from -> image logits (B, L, I), study logits (B, S) and
                     their truth -> what is minimized.
    make_consistent: probabilities of slices (N, I) and of studies (E, S), and where each study's
                     slices start (E + 1,) -> answers that do not contradict themselves, as arrays
                     of the same shapes.
    broken_rules:    arrays as for make_consistent -> for each study the names of the rules that
                     its answers break.
    histogram:       values of a slice -> features without a place, for the baseline.
    measures:        numbers that are reported of what the encoders draw.
    study_from_images: slices and studies have the same findings; labels are of slices, and a study
                     is as its worst slice. No exam is part of a submission.
    pool:            what a study of several series is said to be: as the one that suits best, or
                     the mean or the largest of all.
    study_labels:    with it, studies have labels of their own, and their slices may have none.
    counted_truth:   truth of slices (N, I) and of studies (E, S), and where each study's slices
                     start (E + 1,) -> truth of the studies as the metric counts it, (E, S), and
                     what each slice weighs there, (N,); None: as it is known, and all alike.
    """

    image_findings: tuple[Finding, ...]
    study_findings: tuple[Finding, ...]
    encoders: tuple[CropEncoder, ...]
    find_boxes: FindBoxes
    loss: Callable[[Series], SeriesLoss]
    make_consistent: MakeConsistent = as_answered
    broken_rules: BrokenRules = no_broken_rules
    histogram: Callable[[Float32Array], Float32Array] = histogram_features
    measures: tuple[MaskMeasure, ...] = ()
    study_from_images: bool = False
    study_labels: bool = False
    pool: Pool = "best"
    counted_truth: CountedTruth | None = None

    drawn: ClassVar[tuple[Finding, ...]] = ()  # of slices alone: encoders draw along whole series

    @property
    def official_levels(self) -> tuple[str, ...]:
        """Levels of the weighted log loss; "all" is of images and studies together."""
        if self.study_labels:
            return ("study",)
        return ("image", "study") if self.study_from_images else ("all",)

    @property
    def curve_levels(self) -> tuple[str, ...]:
        """Levels with findings of their own."""
        if self.study_labels:
            return ("study",)
        return ("image",) if self.study_from_images else ("image", "study")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, in the column order of files and pages."""
        return self.image_findings + (() if self.study_from_images else self.study_findings)

    @property
    def findings_drawn(self) -> tuple[Finding, ...]:
        """Findings of level pixel that its encoders draw, where the recipe has a decoder."""
        return tuple(finding for encoder in self.encoders for finding in encoder.drawn)

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of the networks of slices: one for each crop."""
        return tuple(encoder.name for encoder in self.encoders)

    @property
    def crops(self) -> Crops:
        """The crops that are packed of a series, one for each encoder."""
        _, *others = self.networks
        return Crops(("store", *(f"store-{name}" for name in others)), self.find_boxes)

    def check_images(self, images: pl.DataFrame) -> None:
        """Raise ValueError or LabelError where a study or a series has no name of its own; images:
        rows of an index."""
        refuse_nameless(images)

    def exams(self, images: pl.DataFrame) -> pl.DataFrame:
        """List which image is of which exam, EXAM_SCHEMA, none where a submission has images alone;
        images: rows of an index."""
        if self.study_from_images and not self.study_labels:
            return pl.DataFrame(schema=EXAM_SCHEMA)
        return exams_of_archive(images)

    def for_recipe(self, recipe: Recipe) -> SeriesSpec:
        """Return the spec: its crops are the same whatever the recipe."""
        return self

    def check_recipe(self, recipe: Recipe) -> None:
        """Raise ValueError where a recipe reads no series, crops otherwise than the task does, an
        encoder is to draw what it does not know, or grafts are asked for."""
        if recipe.crop != "task":
            raise ValueError(f"crop = {recipe.crop!r}: series have the task's own crops; set task")
        if recipe.series.network == "none":
            raise ValueError(
                "series.network = 'none': the task judges whole series; set gru or transformer"
            )
        if recipe.series.heads != ("network",) and not self.study_from_images:
            raise ValueError(
                f"series.heads = {recipe.series.heads}: studies have labels of their own, which "
                "slices do not answer; set ['network']"
            )
        if recipe.decoder != "none" and not all(one.drawn for one in self.encoders):
            raise ValueError(f"decoder = {recipe.decoder!r}: nothing is drawn; set none")
        if recipe.grafts.share:
            raise ValueError(
                f"grafts.share = {recipe.grafts.share}: none are painted into whole series; set 0"
            )
        if recipe.phantoms.share:
            raise ValueError(
                f"phantoms.share = {recipe.phantoms.share}: whole series are learned without "
                "phantoms in their batches; set 0"
            )

    def phantom_recipe(self, recipe: Recipe) -> Recipe:
        """The settings under which the encoders learn the recipe's phantoms."""
        return phantom_recipe(recipe.encoder_only(), {})
