"""tests/training/slices/test_members.py: several networks of a split differ by the seed alone, and
their mean is what is said."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logit

from wetread.labels.finding import finding_names
from wetread.training.data import LabeledSlices, mirror_columns, plan_splits
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run
from wetread.training.slices.ensemble_mean import read_mean
from wetread.training.slices.fit import fit_split
from wetread.training.slices.members import (
    fold_checkpoints,
    member_recipes,
    read_members,
)
from wetread.training.slices.predict import predict_probabilities
from wetread.training.trained_model import TrainedModel, build_network


def quick(*settings: str) -> Recipe:
    words = ("size=24", "batch_size=16", "runtime.threads=1", "runtime.device=cpu", "epochs=1")
    return read_recipe("compact", [*words, *settings])


def test_networks_of_a_split_have_seeds_of_their_own() -> None:
    of_two = [dict(member_recipes(quick("members=3", f"seed={seed}"))) for seed in (0, 1)]
    assert [list(one) for one in of_two] == [[".", "member-1", "member-2"]] * 2
    seeds = {recipe.seed for one in of_two for recipe in one.values()}
    assert len(seeds) == 6
    first, other = of_two[0]["."], of_two[0]["member-1"]
    assert first == quick("members=3")
    assert other.model_copy(update={"seed": 0}) == first


def test_a_network_over_the_series_has_parts_in_place_of_members() -> None:
    with pytest.raises(ValueError, match=r"members = 2: of networks of slices"):
        quick("members=2", "series.network=gru")


def test_out_of_fold_probabilities_are_the_mean_of_the_networks(
    data: LabeledSlices, tmp_path: Path
) -> None:
    _, (split, *_) = plan_splits(data, 2, seed=0)
    steps: list[tuple[int, int]] = []
    fitted = fit_split(
        data,
        split,
        quick("members=2"),
        run=Run(tmp_path),
        number=0,
        weights=None,
        progress=lambda done, total: steps.append((done, total)),
    )
    first, second = (
        predict_probabilities(
            model.model,
            data.store,
            data.rows[split.scored],
            model.view,
            model.recipe,
            model.negative_rate,
            mirror_columns(data.findings).tolist(),
        )
        for model in read_members(tmp_path, 0)
    )
    assert np.abs(first - second).max() > 1e-4
    mean = data.smooth((first + second) / 2, split.scored)
    np.testing.assert_allclose(fitted.levels[0].probability, mean, atol=1e-6)
    # Half the distance of two is their standard deviation; views add to it.
    apart = fitted.levels[0].disagreement
    assert apart is not None
    assert (apart >= np.abs(logit(first) - logit(second)) / 2 - 1e-4).all()
    assert steps[-1][0] == steps[-1][1]
    assert len({total for _, total in steps}) == 1


def test_one_network_alone_has_the_folder_of_its_split(data: LabeledSlices, tmp_path: Path) -> None:
    _, splits = plan_splits(data, 2, seed=0)
    for number, split in enumerate(splits):
        fit_split(
            data,
            split,
            quick(f"members={2 - number}"),
            run=Run(tmp_path),
            number=number,
            weights=None,
            progress=lambda done, total: None,
        )
    named = [file.relative_to(tmp_path).as_posix() for file in fold_checkpoints(tmp_path)]
    assert named == ["model-0/best.pt", "model-0/member-1/best.pt", "model-1/best.pt"]
    assert fold_checkpoints(tmp_path, 1) == [tmp_path / "model-1" / "best.pt"]
    assert read_members(tmp_path, 2) == []


def test_ensemble_weights_enter_the_mean(data: LabeledSlices, tmp_path: Path) -> None:
    _, (split, *_) = plan_splits(data, 2, seed=0)
    fit_split(
        data,
        split,
        quick("members=2"),
        run=Run(tmp_path),
        number=0,
        weights=None,
        progress=lambda done, total: None,
    )
    models, mirror = read_members(tmp_path, 0), mirror_columns(data.findings).tolist()
    alone = [read_mean([one], data.store, data.rows, mirror).probability for one in models]
    weights = np.array([0.5, 1.5])
    together = read_mean(models, data.store, data.rows, mirror, weights=weights)
    np.testing.assert_allclose(together.probability, 0.25 * alone[0] + 0.75 * alone[1], atol=1e-12)
    assert together.maps == ()


class CountedReads:
    """A store's slices, and how many were asked for."""

    def __init__(self, data: LabeledSlices) -> None:
        self.slices, self.asked = data.store.slices, 0
        self._store = data.store

    def read_hu(self, rows: Sequence[int]) -> np.ndarray:
        self.asked += len(rows)
        return self._store.read_hu(rows)


def test_networks_of_one_view_read_each_slice_once_and_answer_as_if_alone(
    data: LabeledSlices,
) -> None:
    recipes = [quick(f"seed={seed}") for seed in (1, 2)] + [quick("seed=3", "windows=['bone']")]
    models = [
        TrainedModel(
            build_network(recipe, len(data.findings), 0).eval(),
            finding_names(data.findings),
            (),
            recipe.view,
            recipe,
            negative_rate=0.5,
            epoch=0,
            value=None,
        )
        for recipe in recipes
    ]
    models = [models[0], models[2], models[1]]  # the other view between those of one
    mirror, rows = mirror_columns(data.findings).tolist(), data.rows[:11]
    steps: list[tuple[int, int]] = []
    source = CountedReads(data)
    together = read_mean(
        models, source, rows, mirror, progress=lambda done, total: steps.append((done, total))
    )
    assert source.asked == 2 * len(rows)
    alone = [
        predict_probabilities(
            one.model, data.store, rows, one.view, one.recipe, one.negative_rate, mirror
        )
        for one in models
    ]
    total = np.zeros_like(alone[0])
    for probability in alone:
        total += probability
    np.testing.assert_array_equal(together.probability, total / 3)
    assert steps[0] == (0, 3)
    assert steps[-1] == (3, 3)
    assert steps == sorted(steps)
