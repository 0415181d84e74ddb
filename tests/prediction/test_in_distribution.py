"""tests/prediction/test_in_distribution.py: studies placed inside or outside by runs."""

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from wetread.evaluation.feature_distance import fit_reference
from wetread.models.encoders import build
from wetread.prediction.in_distribution import RunBounds, place_studies
from wetread.prediction.placement import NOT_KNOWN, Placement
from wetread.study.traits import Traits
from wetread.training.bounds import Bounds, Limit
from wetread.training.recipe_file import read_recipe
from wetread.training.study_features import References, pooled_features
from wetread.training.trained_model import TrainedModel


class Noise:
    """24 slices of tissue in four studies; of the last one they are of noise alone."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.hu = rng.normal(40, 5, (24, 32, 32)).astype(np.float32)
        self.hu[18:] = rng.normal(40, 60, (6, 32, 32))
        self.slices = pl.DataFrame(
            {
                "StudyInstanceUID": [f"s{k // 6}" for k in range(24)],
                "SeriesInstanceUID": [f"1.{k // 6}" for k in range(24)],
                "z": [k % 6 for k in range(24)],
            }
        )

    def read_hu(self, rows: Any) -> np.ndarray:
        return self.hu[list(rows)]


@pytest.fixture(scope="module")
def placed() -> SimpleNamespace:
    """The store, its slices with rows, and bounds of a random network by its first 18 slices."""
    store = Noise()
    recipe = read_recipe("compact", ["size=32", "runtime.device=cpu", "runtime.precision=float32"])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build(recipe.encoder, recipe.view.channels, 1).eval()
    model = TrainedModel(network, ("any",), (), recipe.view, recipe, 1.0, 0, None)
    features = pooled_features(model, store, np.arange(18))  # type: ignore[arg-type]
    reference = fit_reference(features)
    away = reference.distances(features)
    limit = Limit(2 * float(away.max()), 3, 1.0, float(away.max()))
    bounds = Bounds(
        "best.pt",
        3,
        {"slices": (6.0, 6.0)},
        {"modality": ("CT",)},
        {"pictures": limit},
        References(reference, None),
    )
    slices = store.slices.with_row_index("row")
    return SimpleNamespace(store=store, slices=slices, run=RunBounds(bounds, model))


def place(
    placed: SimpleNamespace,
    *runs: RunBounds | None,
    traits: Mapping[str, list[Traits]] | None = None,
) -> dict[str, Placement]:
    return place_studies(runs, placed.store, placed.slices, traits or {})


def test_noise_is_outside_and_what_was_learned_is_inside(placed: SimpleNamespace) -> None:
    found = place(placed, placed.run)
    assert [found[study].inside for study in ("s0", "s1", "s2", "s3")] == [True] * 3 + [False]
    assert [one.name for one in found["s3"].reasons] == ["pictures"]
    assert found["s3"].word == "outside"


def test_headers_alone_put_a_study_outside(placed: SimpleNamespace) -> None:
    film = {"s0": [Traits({"slices": 6}), Traits({"slices": 1}, {"modality": "CR"})]}
    found = place(placed, placed.run, traits=film)["s0"]
    assert found.inside is False
    assert [one.name for one in found.reasons] == ["modality", "slices"]


def test_of_several_runs_each_may_put_it_outside_and_says_the_same_once(
    placed: SimpleNamespace,
) -> None:
    strict = replace(placed.run.bounds, ranges={"slices": (90.0, 90.0)})
    traits = {study: [Traits({"slices": 6})] for study in ("s0", "s1", "s2", "s3")}
    found = place(placed, placed.run, RunBounds(strict, placed.run.network), traits=traits)
    assert [one.name for one in found["s0"].reasons] == ["slices"]
    assert [one.name for one in found["s3"].reasons] == ["pictures", "slices"]


def test_without_bounds_it_is_not_known_unless_another_run_finds_it_outside(
    placed: SimpleNamespace,
) -> None:
    assert set(place(placed, None).values()) == {NOT_KNOWN}
    found = place(placed, placed.run, None)
    assert found["s0"] == NOT_KNOWN
    assert found["s3"].inside is False
    assert place(placed)["s0"] == NOT_KNOWN


def test_a_store_without_slices_places_nothing(placed: SimpleNamespace) -> None:
    assert place_studies([placed.run], placed.store, placed.slices.clear(), {}) == {}
