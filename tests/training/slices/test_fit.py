"""tests/training/slices/test_fit.py: splits share no patient, and what is scored is never
learned from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from wetread.training.data import LabeledSlices, Split, plan_splits
from wetread.training.predictions import LevelPredictions
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run
from wetread.training.slices.fit import fit_split, initial_model


def quick(*settings: str) -> Recipe:
    words = ("size=24", "batch_size=16", "runtime.threads=1", "runtime.device=cpu", "epochs=1")
    return read_recipe("compact", [*words, *settings])


def fit(
    folder: Path,
    data: LabeledSlices,
    split: Split,
    recipe: Recipe,
    mixed: LabeledSlices | None = None,
) -> list[LevelPredictions]:
    fitted = fit_split(
        data,
        split,
        recipe,
        run=Run(folder),
        number=0,
        weights=None,
        mixed=mixed,
        progress=lambda done, total: None,
    )
    assert fitted.drawings.is_empty()
    return fitted.levels


def test_the_truth_of_the_scored_patients_changes_nothing_that_is_said_of_them(
    data: LabeledSlices, tmp_path: Path
) -> None:
    _, (split, *_) = plan_splits(data, 2, seed=0)
    turned = data.truth.copy()
    turned[split.scored] = 1 - turned[split.scored]
    before = fit(tmp_path / "a", data, split, quick())
    after = fit(tmp_path / "b", replace(data, truth=turned), split, quick())
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.probability, other.probability)
        for name in ("prior", "position", "histogram"):
            np.testing.assert_array_equal(one.baselines[name], other.baselines[name])
    assert not np.array_equal(before[0].truth, after[0].truth)


def test_images_and_their_studies_come_back_with_baselines_fitted_on_train(
    data: LabeledSlices, tmp_path: Path
) -> None:
    _, (split, *_) = plan_splits(data, 0, seed=1)
    images, studies = fit(tmp_path, data, split, quick())
    assert (images.level, images.split, studies.level) == ("image", "held_out", "study")
    np.testing.assert_array_equal(images.truth, data.truth[split.scored])
    np.testing.assert_array_equal(images.rows, data.rows[split.scored])
    shares = data.truth[split.train].mean(axis=0)
    assert images.baselines["prior"] == pytest.approx(np.tile(shares, (len(split.scored), 1)))
    assert set(studies.ids) == set(np.array(data.column("StudyInstanceUID"))[split.scored])
    for place, study in enumerate(studies.ids):
        own = [i for i, name in enumerate(images.studies) if name == study]
        np.testing.assert_array_equal(studies.truth[place], images.truth[own].max(axis=0))
        assert (studies.probability[place] <= images.probability[own].max(axis=0)).all()
        assert (studies.probability[place] >= images.probability[own].min(axis=0)).all()
    by_study = data.truth.reshape(20, 12, 3).max(axis=1)
    fitted = sorted({place // 12 for place in split.train})
    assert studies.baselines["prior"][0] == pytest.approx(by_study[fitted].mean(axis=0))


def test_unknown_truth_stays_unknown_and_a_finding_never_seen_is_even_odds(
    data: LabeledSlices, tmp_path: Path
) -> None:
    truth = data.truth.copy()
    truth[:, 2] = np.nan
    half = replace(data, truth=truth)
    _, (split, *_) = plan_splits(half, 2, seed=0)
    images, studies = fit(tmp_path, half, split, quick())
    assert np.isnan(images.truth[:, 2]).all()
    assert np.isnan(studies.truth[:, 2]).all()
    assert (images.baselines["prior"][:, 2] == 0.5).all()
    assert np.isfinite(images.probability).all()


def test_a_initial_model_is_decided_by_its_seed_and_leaves_chance_alone(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    weights = [
        next(initial_model(quick(f"seed={seed}"), 3, 0, None, Run(tmp_path))[0].parameters())
        for seed in (1, 1, 2)
    ]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_from_a_file_are_taken_and_what_was_taken_is_written_down(tmp_path: Path) -> None:
    first, learned = initial_model(quick("seed=1"), 3, 0, None, Run(tmp_path))
    assert not learned
    torch.save(first.state_dict(), tmp_path / "w.pt")
    second, learned = initial_model(quick("seed=2"), 3, 0, tmp_path / "w.pt", Run(tmp_path / "run"))
    assert learned
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name
    assert '"w.pt"' in (tmp_path / "run" / "weights.json").read_text()


def test_a_last_layer_of_other_findings_has_not_learned_elsewhere(tmp_path: Path) -> None:
    first, _ = initial_model(quick("seed=1"), 4, 0, None, Run(tmp_path))
    torch.save(first.state_dict(), tmp_path / "w.pt")
    _, learned = initial_model(quick("seed=2"), 3, 0, tmp_path / "w.pt", Run(tmp_path / "run"))
    assert not learned


def test_phantoms_in_every_batch_change_what_is_learned_and_not_what_is_scored(
    data: LabeledSlices, tmp_path: Path
) -> None:
    recipe = quick("phantoms.studies=1", "phantoms.share=0.5")
    _, (split, *_) = plan_splits(data, 2, seed=0)
    alone = fit(tmp_path / "a", data, split, recipe)
    mixed = fit(tmp_path / "b", data, split, recipe, mixed=data)
    for one, other in zip(alone, mixed, strict=True):
        assert one.ids == other.ids
        np.testing.assert_array_equal(one.truth, other.truth)
        np.testing.assert_array_equal(one.baselines["prior"], other.baselines["prior"])
    assert not np.array_equal(alone[0].probability, mixed[0].probability)
