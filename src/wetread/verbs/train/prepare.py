"""verbs/train/prepare.py: packed slices and labels made ready to be learned, by slice or by
series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wetread.inputs.progress import Report, stage
from wetread.labels.finding import Finding, finding_names
from wetread.labels.table import LabelTable
from wetread.store.store import Store
from wetread.tasks import Task
from wetread.training.data import LabeledSlices, Split
from wetread.training.masks import annotated_masks
from wetread.training.recipe import Recipe
from wetread.training.run import Run
from wetread.training.series.fit import EncoderSlices, SeriesData, fit_series
from wetread.training.series.series import Series, labeled_series
from wetread.training.series.spec import SeriesSpec
from wetread.training.slices.fit import SplitResult, fit_split

Histogram = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Ready:
    """What is learned.

    data:   the labelled slices, by which patients are parted.
    fit:    the number of a split and the split -> what its model says of the scored part.
    shares: finding to its share of positives and how many labels are known.
    """

    data: LabeledSlices
    fit: Callable[[int, Split], SplitResult]
    shares: Mapping[str, tuple[float, int]]


def slices_to_learn(
    run: Run,
    task: Task,
    store: Store,
    labels: LabelTable,
    recipe: Recipe,
    weights: Path | None,
    report: Report,
) -> Ready:
    """Slices with labels of their own."""
    if recipe.sequence != "none":
        raise ValueError(f"sequence = {recipe.sequence!r}: the task judges slices; set none")
    if recipe.decoder != "none" and not task.drawn:
        raise ValueError(f"decoder = {recipe.decoder!r}: the task has nothing to draw; set none")
    truth = labels.matrix(store.slices["SOPInstanceUID"].to_list(), task.findings)
    labelled = _labelled(~np.isnan(truth).all(axis=1))
    known = truth[labelled].astype(np.float64)
    masks = None
    if task.drawn:
        masks = annotated_masks(store.slices[labelled], known, labels, task.drawn, task.findings)
    data = LabeledSlices(store, labelled, known, task.findings, masks, task.histogram)

    def fit(number: int, split: Split) -> SplitResult:
        shown = stage(report, f"train {number + 1}")
        return fit_split(run, number, split, data, recipe, weights, shown)

    return Ready(data, fit, _shares(known, task.findings))


def series_to_learn(
    run: Run,
    task: Task,
    of: SeriesSpec,
    stores: Sequence[Store],
    labels: LabelTable,
    recipe: Recipe,
    weights: Mapping[str, Path],
    report: Report,
) -> Ready:
    """Whole series, of which slices or studies have labels; each look's slices in its own store.
    weights: from which the encoder of each look starts, by its name."""
    if recipe.sequence == "none":
        raise ValueError("sequence = 'none': the task judges whole series; set gru or transformer")
    everyone = labeled_series(stores[0].slices, labels, of.image, of.study)
    told = ~np.isnan(np.hstack([everyone.image, everyone.spread()])).all(axis=1)
    with_label = np.logical_or.reduceat(told, everyone.starts[:-1])
    series = everyone.of(_labelled(with_label))
    seen = seen_looks(of, stores, series, labels, recipe, task.histogram)
    ready = SeriesData(series, seen, of)
    findings = (*of.image, *of.study)

    def fit(number: int, split: Split) -> SplitResult:
        return fit_series(run, number, split, ready, recipe, weights, partial(stage, report))

    return Ready(
        LabeledSlices(stores[0], series.rows, np.hstack([series.image, series.spread()]), findings),
        fit,
        _shares(series.image, of.image) | _shares(series.study, of.study),
    )


def seen_looks(
    of: SeriesSpec,
    stores: Sequence[Store],
    series: Series,
    labels: LabelTable,
    recipe: Recipe,
    histogram: Histogram,
) -> tuple[EncoderSlices, ...]:
    """What each look's encoder learns from the slices of the series, each in its own store; of
    masks what is known: those of the labels, and none where a slice has not the finding."""
    spread = series.spread()
    seen = []
    for look, store in zip(of.looks, stores, strict=True):
        taught = look.teach(series.image, spread)
        masks = None
        if recipe.decoder != "none":
            if not look.drawn:
                raise ValueError(f"decoder = {recipe.decoder!r}: nothing is drawn; set none")
            slices = store.slices[series.rows]
            masks = annotated_masks(slices, taught, labels, look.drawn, look.findings)
        data = LabeledSlices(store, series.rows, taught, look.findings, masks, histogram)
        seen.append(EncoderSlices(look, data))
    return tuple(seen)


def _labelled(known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The places that have a label; ValueError where none has."""
    labelled = np.flatnonzero(known)
    if len(labelled) == 0:
        raise ValueError(
            "no image of the archive has a label: the label file's ids are not the images' "
            "SOPInstanceUIDs. Compare both: wetread index, and the label file's first lines"
        )
    return labelled


def _shares(
    truth: NDArray[np.float64], findings: Sequence[Finding]
) -> dict[str, tuple[float, int]]:
    known = (~np.isnan(truth)).sum(axis=0)
    share = np.nansum(truth, axis=0) / np.maximum(known, 1)
    names = finding_names(findings)
    return {name: (float(s), int(n)) for name, s, n in zip(names, share, known, strict=True)}
