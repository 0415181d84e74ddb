"""training/series/prepare.py: packed series and labels made ready for encoders and a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from wetread.evaluation.aggregate import study_truth
from wetread.labels.table import LabelTable
from wetread.store.store import Store
from wetread.training.data import LabeledSlices, Split
from wetread.training.kept_split import digest_inputs
from wetread.training.masks import annotated_masks
from wetread.training.run import BEST, Run
from wetread.training.series.fit import fit_series
from wetread.training.series.levels import consistent_levels
from wetread.training.series.parts import EncoderSlices, SeriesData, truth_of
from wetread.training.series.series import Series, labeled_series
from wetread.training.series.spec import SeriesSpec
from wetread.training.slices.batches import steps_per_epoch
from wetread.training.slices.fit import SplitResult, fit_encoder
from wetread.training.slices.prepare import (
    Prepared,
    Start,
    TrainingInputs,
    label_shares,
    labeled_rows,
)

HELD_OUT = 10  # one phantom of so many is not learned from


def prepare_series(spec: SeriesSpec, inputs: TrainingInputs) -> Prepared:
    """Join whole series, of which slices or studies have labels, with them; each encoder's slices
    are in its own store. ValueError where none has a label."""
    slices = inputs.stores[0].slices
    series = known_series(spec, label_series(spec, slices, inputs.labels))
    data = SeriesData(series, encoder_data(spec, series, inputs), spec)

    def fit(number: int, split: Split, start: Start) -> SplitResult:
        return fit_series(
            data,
            split,
            inputs.recipe,
            run=inputs.run,
            number=number,
            weights=start.weights,
            stage=inputs.stage,
        )

    shares = label_shares(series.image, spec.image_findings)
    if not spec.study_from_images or spec.study_labels:
        shares |= label_shares(series.study, spec.study_findings)
    slices_with_truth = LabeledSlices(
        inputs.stores[0], series.rows, truth_of(spec, series), spec.findings
    )
    return Prepared(
        slices_with_truth,
        fit,
        shares,
        partial(consistent_levels, spec=spec),
        calibrated=spec.study_from_images or inputs.recipe.series.loss == "plain",
        inputs=digest_inputs(
            inputs.recipe,
            [slices_with_truth, *(one.data for one in data.encoders)],
            (series.starts, series.image, series.study),
        ),
    )


def known_series(spec: SeriesSpec, series: Series) -> Series:
    """Select the series of which a slice or the study has a label; ValueError where none has."""
    known = ~np.isnan(truth_of(spec, series)).all(axis=1)
    return series.of(labeled_rows(np.logical_or.reduceat(known, series.starts[:-1])))


def label_series(spec: SeriesSpec, slices: pl.DataFrame, labels: LabelTable) -> Series:
    """List all series of a store's table with the labels of their slices and studies."""
    series = labeled_series(slices, labels, spec.image_findings, spec.study_findings)
    if not spec.study_from_images:
        return series
    _, study = study_truth(series.image, series.series_of_slices())
    if spec.study_labels:
        study = np.where(np.isnan(series.study), study, series.study)
    return series.with_study(study)


def pretrain_encoders(
    spec: SeriesSpec, inputs: TrainingInputs, weights: Mapping[str, Path]
) -> dict[str, Path]:
    """Learn the phantoms with each encoder, all but those that are held out to choose thresholds of
    masks by; the kept models' files by the encoders' names.

    weights: where they start, by their names.
    """
    inputs = replace(inputs, stores=[_without_order(store) for store in inputs.stores])
    slices, nothing = inputs.stores[0].slices, np.empty(0, np.int64)
    series = label_series(spec, slices, inputs.labels)
    held_out = held_out_studies(series.studies) if inputs.recipe.decoder != "none" else ()
    learned = np.array([study not in held_out for study in series.studies], bool)
    places = np.flatnonzero(np.repeat(learned, np.diff(series.starts)))
    everyone = Split("phantoms", places, nothing, nothing)
    data = [encoder_slices.data for encoder_slices in encoder_data(spec, series, inputs)]
    steps = [steps_per_epoch(each.truth.astype(np.float32), inputs.recipe, 0) for each in data]
    kept: dict[str, Path] = {}
    for encoder, own, own_steps in zip(spec.encoders, data, steps, strict=True):
        name = encoder.name
        # A finding of whole exams makes many slices positive, and an epoch long: steps are counted.
        epochs = max(1, round(inputs.recipe.epochs * encoder.steps * steps[0] / own_steps))
        recipe = inputs.recipe.model_copy(update={"epochs": epochs})
        run = Run(inputs.run.folder / name)
        progress = inputs.stage(f"{name} of phantoms")
        fit_encoder(own, everyone, recipe, weights=weights.get(name), run=run, progress=progress)
        kept[name] = run.folder / BEST
    return kept


def held_out_studies(studies: Sequence[str]) -> frozenset[str]:
    """Choose the phantoms that no encoder learns from: every HELD_OUT-th of their sorted names,
    which know nothing of what is in them; none of fewer than HELD_OUT."""
    return frozenset(sorted(set(studies))[HELD_OUT - 1 :: HELD_OUT])


def _without_order(store: Store) -> Store:
    """Drop the order of patients, whom no split parts here: checkpoints of encoders that learned
    phantoms have never known it, and would be refused for it."""
    if "patient_order" not in store.slices.columns:
        return store
    return replace(store, slices=store.slices.drop("patient_order"))


def encoder_data(
    spec: SeriesSpec, series: Series, inputs: TrainingInputs
) -> tuple[EncoderSlices, ...]:
    """Make the targets of each encoder's slices, each in its own store; of masks what is known:
    those of the labels, and none where a slice has not the finding."""
    spread = series.spread()
    found = []
    for encoder, store in zip(spec.encoders, inputs.stores, strict=True):
        targets = encoder.slice_targets(series.image, spread)
        masks = None
        if inputs.recipe.decoder != "none":
            slices = store.slices[series.rows]
            masks = annotated_masks(slices, targets, inputs.labels, encoder.drawn, encoder.findings)
        data = LabeledSlices(
            store,
            series.rows,
            targets,
            encoder.findings,
            masks,
            spec.histogram,
            header=inputs.header_of(series.rows),
        )
        found.append(EncoderSlices(encoder, data))
    return tuple(found)
