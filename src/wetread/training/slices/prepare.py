"""training/slices/prepare.py: packed slices and labels made ready for the training of a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from wetread.archive.types import BoolArray, Float64Array, Int64Array
from wetread.evaluation.header_baseline import HeaderFeatures
from wetread.labels.finding import Finding, finding_names
from wetread.labels.table import LabelTable
from wetread.store.store import Store
from wetread.training.calibration import LabeledProbabilities
from wetread.training.data import LabeledSlices, Split, plan_splits
from wetread.training.kept_split import digest_inputs
from wetread.training.masks import annotated_masks
from wetread.training.predictions import LevelPredictions
from wetread.training.recipe import Recipe
from wetread.training.run import BEST, Run
from wetread.training.slices.fit import SplitResult, fit_encoder, fit_split
from wetread.training.slices.grafts import Grafts
from wetread.training.slices.levels import obeying_levels
from wetread.training.slices.members import read_members
from wetread.training.slices.other_scanners import read_altered
from wetread.training.slices.refit import refit_all
from wetread.training.slices.spec import SliceSpec

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Start:
    """Where the training of a split starts.

    weights: files to start from, by the networks' names; none: random ones.
    mixed:   phantoms of which every batch has its share.
    """

    weights: Mapping[str, Path]
    mixed: LabeledSlices | None = None


MakeConsistent = Callable[[list[LevelPredictions]], list[LevelPredictions]]
FitSplit = Callable[[int, Split, Start], SplitResult]
ReadAltered = Callable[[int, Split], tuple[LabeledProbabilities, ...]]


@dataclass(frozen=True, eq=False)
class TrainingInputs:
    """Run, stores, labels and recipe of a training.

    run:    the folder that it writes.
    stores: the same slices in each crop of the task.
    labels: of slices and of studies.
    stage:  name of a step -> its progress callback.
    header: of the stores' slices, for the baseline of headers; None where headers are not at hand.
    """

    run: Run
    stores: Sequence[Store]
    labels: LabelTable
    recipe: Recipe
    stage: Callable[[str], Progress]
    header: HeaderFeatures | None = None

    def header_of(self, rows: Int64Array) -> HeaderFeatures | None:
        """Select the headers of some rows (n,) of the stores."""
        return None if self.header is None else self.header.of(rows)


@dataclass(frozen=True, eq=False)
class Prepared:
    """Slices and labels that belong together, and how a part of them is learned.

    data:   the labeled slices, by which patients are parted.
    fit:    (number of a split, the split, its start) -> predictions of its scored part.
    shares: finding to its share of positives and the number of its known labels.
    make_consistent: levels of predictions -> the same, obeying the task's rules; where it has none,
            as they are.
    calibrated: whether the probabilities mean shares and are scaled to them; not where networks
            minimize a metric that weighs images and studies by what they are.
    refit:  start -> epochs for which networks of all patients were trained after the folds; None:
            none are.
    read_altered: (number of a split, the split) -> what its model says of its scored part as if
            other scanners had made it; None where the task does not say how these differ.
    inputs: a digest of settings, slices and labels (training/kept_split.py); None: not known, and
            nothing that a split's model said is kept.
    """

    data: LabeledSlices
    fit: FitSplit
    shares: Mapping[str, tuple[float, int]]
    make_consistent: MakeConsistent = list
    calibrated: bool = True
    refit: Callable[[Start], int] | None = None
    read_altered: ReadAltered | None = None
    inputs: str | None = None


def prepare_slices(spec: SliceSpec, inputs: TrainingInputs) -> Prepared:
    """Join the slices of the one store with their labels. ValueError where none has a label."""
    data = labeled_slices(spec, inputs)
    without = len(data.store.slices) - len(data.rows)
    if inputs.recipe.pseudo_labels and without == 0:
        raise ValueError(
            "pseudo_labels = true: every image of the archive has a label; give images without one "
            "beside them, or set it to false"
        )

    def fit(number: int, split: Split, start: Start) -> SplitResult:
        return fit_split(
            data,
            split,
            inputs.recipe,
            run=inputs.run,
            number=number,
            weights=start.weights.get(spec.network),
            mixed=start.mixed,
            progress=inputs.stage(f"train {number + 1}"),
        )

    def refit(start: Start) -> int:
        return refit_all(
            data,
            inputs.recipe,
            run=inputs.run,
            weights=start.weights.get(spec.network),
            mixed=start.mixed,
            progress=inputs.stage("train on all"),
        )

    def read(number: int, split: Split) -> tuple[LabeledProbabilities, ...]:
        assert spec.other_scanners is not None  # else nobody reads so
        models = read_members(inputs.run.folder, number)
        return read_altered(data, split, models, spec.other_scanners)

    return Prepared(
        data,
        fit,
        label_shares(data.truth, spec.image_findings),
        partial(obeying_levels, obey=spec.obey),
        refit=refit if inputs.recipe.refit else None,
        read_altered=None if spec.other_scanners is None else read,
        inputs=digest_inputs(inputs.recipe, [data]),
    )


def pretrain_slices(
    spec: SliceSpec, inputs: TrainingInputs, weights: Mapping[str, Path]
) -> dict[str, Path]:
    """Learn phantoms of most patients, the epoch chosen by others; the kept model's file by the
    network's name. weights: where it starts."""
    data = labeled_slices(spec, inputs)
    _, (split,) = plan_splits(data, 0, inputs.recipe.seed)
    kept = Run(inputs.run.folder / "model-0")
    progress = inputs.stage(f"{spec.network} of phantoms")
    fit_encoder(
        data,
        split,
        inputs.recipe,
        weights=weights.get(spec.network),
        run=kept,
        progress=progress,
    )
    return {spec.network: kept.folder / BEST}


def labeled_slices(spec: SliceSpec, inputs: TrainingInputs) -> LabeledSlices:
    """Join the slices of the one store with their labels, and with their masks where the task draws
    any. ValueError where none has a label."""
    (store,) = inputs.stores
    truth = inputs.labels.matrix(store.slices["SOPInstanceUID"].to_list(), spec.image_findings)
    labeled = labeled_rows(np.asarray(~np.isnan(truth).all(axis=1)))
    known = truth[labeled].astype(np.float64)
    masks = None
    if spec.drawn:
        slices = store.slices[labeled]
        masks = annotated_masks(slices, known, inputs.labels, spec.drawn, spec.image_findings)
    grafts = (
        Grafts(spec.paint_graft, finding_names(spec.image_findings)) if spec.paint_graft else None
    )
    return LabeledSlices(
        store,
        labeled,
        known,
        spec.image_findings,
        masks,
        spec.histogram,
        grafts,
        spec.inside,
        inputs.header_of(labeled),
    )


def labeled_rows(known: BoolArray) -> Int64Array:
    """Find the rows with a label, known (N,) bool -> (n,) int64; ValueError where none has one."""
    if len(known) == 0:
        raise ValueError(
            "the archive has no image that the task reads; wetread index lists what it holds, and "
            "what is refused and why"
        )
    labeled = np.flatnonzero(known)
    if len(labeled) == 0:
        raise ValueError(
            "no image of the archive has a label: the label file's ids are not the images' "
            "SOPInstanceUIDs. Compare both: wetread index, and the label file's first lines"
        )
    return labeled


def label_shares(truth: Float64Array, findings: Sequence[Finding]) -> dict[str, tuple[float, int]]:
    """Count by finding its share of positives and its known labels; truth (N, F), NaN unknown."""
    known = (~np.isnan(truth)).sum(axis=0)
    share = np.nansum(truth, axis=0) / np.maximum(known, 1)
    names = finding_names(findings)
    return {name: (float(s), int(n)) for name, s, n in zip(names, share, known, strict=True)}
