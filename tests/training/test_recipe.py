"""tests/training/test_recipe.py: settings in their groups, flat, changed, and what they decide."""

import pytest

from wetread.training.recipe import (
    JointSettings,
    Recipe,
    SeriesSettings,
    flat_settings,
    nested_settings,
)
from wetread.view.augment import Strengths


def test_the_strengths_are_those_of_the_recipe() -> None:
    recipe = Recipe().with_settings({"augmentation.flip": 0, "augmentation.hu_shift": 4})
    assert recipe.strengths == Strengths(0, 15, 0.12, 0.04, 4)


def test_settings_flattened_and_nested_are_the_recipe() -> None:
    recipe = Recipe().with_settings({"series.network": "gru", "windows": ["brain"], "seed": 3})
    flat = flat_settings(recipe)
    assert (flat["series.network"], flat["windows"], flat["seed"]) == ("gru", ["brain"], 3)
    assert Recipe.model_validate(nested_settings(flat)) == recipe
    assert flat_settings(recipe.model_dump(mode="json")) == flat


def test_a_name_is_a_value_or_a_group_and_not_both() -> None:
    with pytest.raises(ValueError, match="series is a value"):
        nested_settings({"series": 1, "series.network": "gru"})


def test_changed_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="no sequence network 'lstm'"):
        Recipe().with_settings({"series.network": "lstm"})
    with pytest.raises(ValueError, match="multiples of 32"):
        Recipe(size=100).with_settings({"decoder": "unet"})


def test_an_encoder_knows_nothing_of_networks_over_it() -> None:
    series = SeriesSettings(network="gru", epochs=3)
    recipe = Recipe(series=series, joint=JointSettings(epochs=2), seed=4)
    assert recipe.encoder_only() == Recipe(seed=4)


def test_sizes_and_negatives_change_along_the_epochs() -> None:
    recipe = Recipe(
        epochs=5, size=128, smaller_first=(64,), negatives_per_positive=1.0, negatives_at_end=3.0
    )
    assert [recipe.size_at(epoch) for epoch in range(5)] == [64, 64, 64, 128, 128]
    assert [recipe.negatives_at(epoch) for epoch in range(5)] == [1.0, 1.5, 2.0, 2.5, 3.0]
