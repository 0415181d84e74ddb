"""tests/training/series/test_heads.py: heads are weighed by what they are worth elsewhere."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import logit
from tests.training.blob_series import IMAGE, fit, quick, series_data

from wetread.evaluation.aggregate import smooth_along_z
from wetread.labels.finding import Finding
from wetread.training.series.fit_trees import fit_trees
from wetread.training.series.heads import (
    FEWEST,
    WeightedHeads,
    choose_weights,
    head_logits,
    read_heads,
    write_heads,
)
from wetread.training.series.parts import SeriesData
from wetread.training.series.series import Series

HEADS = ("network", "slices", "boosting")


@pytest.fixture
def sliced(series: Series) -> Series:
    """The blobs' series, each study as its worst slice."""
    study = np.maximum.reduceat(series.image, series.starts[:-1])
    return series.with_study(study)


def test_a_head_that_knows_gets_all_weight_and_one_that_knows_not_none(sliced: Series) -> None:
    rng = np.random.default_rng(0)
    assert np.nansum(sliced.image) >= FEWEST
    right = 6 * sliced.image - 3
    logits = np.stack([rng.normal(size=right.shape), right])
    blend = choose_weights(
        logits,
        rng.normal(size=sliced.study.shape),
        sliced,
        heads=HEADS[:2],
        weights=np.ones(1),
        trees=(),
    )
    np.testing.assert_array_equal(blend.image, [[0.0, 1.0]])
    assert blend.study == 0  # the worst slice knows, the network's studies are noise


def test_a_finding_without_positives_gets_the_weights_of_all(sliced: Series) -> None:
    rng = np.random.default_rng(0)
    two = replace(sliced, image=np.hstack([sliced.image, 0 * sliced.image]))
    two = two.with_study(np.hstack([sliced.study, 0 * sliced.study]))
    logits = np.stack(
        [np.hstack([6 * sliced.image - 3, -6 + 0 * sliced.image]), np.zeros((240, 2))]
    )
    blend = choose_weights(
        logits, rng.normal(size=(20, 2)), two, heads=HEADS[:2], weights=np.ones(2), trees=()
    )
    np.testing.assert_array_equal(blend.image[1], blend.image[0])


def test_heads_are_the_network_the_smoothed_slices_and_trees(sliced: Series) -> None:
    slices = np.random.default_rng(1).uniform(0.1, 0.9, (240, 1))
    trees = fit_trees(slices, sliced, seed=0)
    network = np.random.default_rng(2).normal(size=(240, 1))
    first, second, third = head_logits(HEADS, network, slices, sliced, trees)
    np.testing.assert_array_equal(first, network)
    smoothed = smooth_along_z(slices, sliced.series_of_slices(), sliced.position_mm)
    np.testing.assert_allclose(second, logit(smoothed))
    assert np.corrcoef(third[:, 0], sliced.image[:, 0])[0, 1] > 0.5  # learned by heart


def test_a_blend_comes_back_from_its_file(sliced: Series, tmp_path: Path) -> None:
    slices = np.random.default_rng(1).random((240, 1))
    blend = WeightedHeads(
        HEADS, np.array([[0.5, 0.25, 0.25]]), 0.75, fit_trees(slices, sliced, seed=0)
    )
    write_heads(tmp_path, blend)
    again = read_heads(tmp_path)
    assert again is not None
    assert again.heads == HEADS
    network = np.zeros((240, 1)), np.ones((20, 1))
    for one, other in zip(
        again.blend(network, slices, sliced), blend.blend(network, slices, sliced), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_no_file_is_no_blend(tmp_path: Path) -> None:
    assert read_heads(tmp_path) is None


def test_a_training_with_three_heads_leaves_a_blend_in_each_part(
    store: Any, sliced: Series, tmp_path: Path
) -> None:
    data = series_data(store, sliced)
    findings = (Finding("any"),)
    encoder = replace(data.encoders[0].encoder, findings=findings, slice_targets=lambda i, s: i)
    slices = replace(data.encoders[0].data, truth=sliced.image, findings=findings)
    spec = replace(data.spec, study_findings=IMAGE, encoders=(encoder,), study_from_images=True)
    own = SeriesData(sliced, (replace(data.encoders[0], encoder=encoder, data=slices),), spec)
    recipe = quick('series.heads=["network", "slices", "boosting"]')
    image, study = fit(tmp_path, own, recipe).levels
    assert image.probability.shape == (48, 1)
    assert study.probability.shape == (4, 1)
    for part in ("part-0", "part-1"):
        blend = read_heads(tmp_path / "model-0" / part)
        assert blend is not None
        assert blend.heads == HEADS
        np.testing.assert_allclose(blend.image.sum(1), 1)
