"""tests/training/series/test_fit.py: whole series are learned, by encoders that never saw them."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from wetread.labels.finding import Finding
from wetread.labels.table import LabelTable, label_table
from wetread.training.data import LabeledSlices, Split
from wetread.training.losses import plain_series_loss
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run
from wetread.training.series import fit as series_fit
from wetread.training.series import joint as together
from wetread.training.series import slice_features as features
from wetread.training.series.embed_series import embed_series
from wetread.training.series.fit import EncoderSlices, SeriesData, fit_series
from wetread.training.series.inputs import Embeddings, SequenceInputs, make_sequence_inputs
from wetread.training.series.reader import read_series_model
from wetread.training.series.sequence_fit import (
    BEST,
    LAST,
    fit_sequence,
    predict_series_logits,
)
from wetread.training.series.series import (
    Series,
    batches_of,
    inputs_of,
    join_series,
    labeled_series,
    series_containing,
)
from wetread.training.series.spec import CropEncoder, SeriesSpec
from wetread.training.slices.fit import SplitResult

IMAGE = (Finding("any"),)
STUDY = (Finding("left", "study", mirror="right"), Finding("right", "study", mirror="left"))
MIRROR = np.array([1, 0])


@pytest.fixture
def store(blobs: Any) -> Any:
    """The blobs as 20 studies of 10 patients, 12 slices each, as a store would list them."""
    n = len(blobs.truth)
    slices = blobs.slices.with_columns(
        StudyInstanceUID=pl.Series([f"1.4.{i // 12}" for i in range(n)]),
        z=pl.Series([i % 12 for i in range(n)]),
        position_mm=pl.Series([5.0 * (i % 12) for i in range(n)]),
        part=pl.lit("whole"),
        offset=pl.Series(range(n)),
        bytes=pl.lit(1),
    )
    return SimpleNamespace(slices=slices, read_hu=blobs.read_hu)


@pytest.fixture
def labels(blobs: Any, store: Any) -> LabelTable:
    truth = blobs.truth.astype(np.float64)
    rows = [("image", uid, "any", truth[i, 0]) for i, uid in enumerate(blobs.slices.to_series())]
    for number, study in enumerate(store.slices["StudyInstanceUID"].unique(maintain_order=True)):
        of_study = truth[12 * number : 12 * number + 12, 1:].max(0)
        rows += [("study", study, f.name, v) for f, v in zip(STUDY, of_study, strict=True)]
    return label_table(pl.DataFrame(rows, orient="row", schema=["level", "id", "finding", "value"]))


@pytest.fixture
def series(store: Any, labels: LabelTable) -> Series:
    return labeled_series(store.slices, labels, IMAGE, STUDY)


def taught(image: np.ndarray, study: np.ndarray) -> np.ndarray:
    return np.hstack([image, np.where(image > 0.5, study, 0.0)])


def quick(*settings: str) -> Recipe:
    words = ("size=24", "batch_size=16", "threads=1", "device=cpu", "epochs=2", "sequence=gru")
    words += ("sequence_epochs=3", "sequence_batch=4", "negatives_per_positive=0")
    return read_recipe("compact", [*words, *settings])


def learned(store: Any, series: Series) -> SeriesData:
    findings = (*IMAGE, *(replace(finding, level="image") for finding in STUDY))
    look = CropEncoder("whole", findings, taught)
    of = SeriesSpec(
        IMAGE, STUDY, (look,), lambda hu: ((0, 1, 0, 1),), lambda series: plain_series_loss,
        lambda image, study, starts: (image, study),
        lambda image, study, starts: [()] * len(study),
    )  # fmt: skip
    data = LabeledSlices(store, series.rows, taught(series.image, series.spread()), findings)
    return SeriesData(series, (EncoderSlices(look, data),), of)


def fit(folder: Path, data: SeriesData, recipe: Recipe, choosing: int = 24) -> SplitResult:
    validation = np.arange(168, 168 + choosing)
    split = Split("held_out", np.arange(168), validation, np.arange(192, 240))
    return fit_series(Run(folder), 0, split, data, recipe, {}, lambda name: lambda *at: None)


def features_for(series: Series, width: int = 3) -> SequenceInputs:
    """Features in which the truth lies, under noise."""
    noise = np.random.default_rng(1).normal(size=(len(series.rows), width)).astype(np.float32)
    plain = noise + np.hstack([series.image, series.spread()]).astype(np.float32)
    whole = np.stack([part.max(0) for part in np.split(plain, series.starts[1:-1])])
    told = Embeddings(plain, whole), Embeddings(plain[:, [0, 2, 1]], whole[:, [0, 2, 1]])
    return make_sequence_inputs(series, *told, quick())


def test_a_store_becomes_series_with_the_labels_of_their_studies(series: Series) -> None:
    assert len(series) == 20
    assert series.starts.tolist() == list(range(0, 241, 12))
    assert series.studies[3] == "1.4.3"
    two = series.of(np.array([3, 1]))
    assert two.rows.tolist() == [*range(36, 48), *range(12, 24)]
    assert two.starts.tolist() == [0, 12, 24]
    np.testing.assert_array_equal(two.spread()[:12], np.tile(series.study[3], (12, 1)))
    assert series_containing(series, np.array([0, 11, 12, 239])).tolist() == [0, 1, 19]


def test_two_series_of_a_study_stay_apart_with_the_study_s_labels(store: Any) -> None:
    slices = store.slices.with_columns(StudyInstanceUID=pl.lit("one"))
    labels = label_table(
        pl.DataFrame([("study", "one", "left", 1.0)], orient="row",
                     schema=["level", "id", "finding", "value"])
    )  # fmt: skip
    series = labeled_series(slices, labels, IMAGE, STUDY)
    assert len(series) == 20
    assert (series.study[:, 0] == 1.0).all()
    assert np.isnan(series.study[:, 1]).all()
    assert np.isnan(series.image).all()


def test_series_parted_and_joined_are_the_series(series: Series) -> None:
    parts = [series.of(np.array(places)) for places in ([0, 2], [1], range(3, len(series)))]
    whole = series.of(np.array([0, 2, 1, *range(3, len(series))]))
    joined = join_series(parts)
    for name in ("rows", "starts", "position_mm", "image", "study"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))
    assert (joined.studies, joined.patients) == (whole.studies, whole.patients)


def test_inputs_hold_features_changes_and_the_place_in_mm() -> None:
    features_ = np.array([[1.0], [4.0], [2.0]], np.float32)
    inputs = inputs_of(features_, np.array([10.0, 15.0, 40.0]), differences=True)
    assert inputs[:, 0].tolist() == [1.0, 4.0, 2.0]
    assert inputs[:, 1].tolist() == [3.0, -2.0, 0.0]  # to the next
    assert inputs[:, 2].tolist() == [0.0, 3.0, -2.0]  # from the one before
    np.testing.assert_allclose(inputs[:, 3], [-0.15, -0.10, 0.15])  # from the middle, 25 mm
    np.testing.assert_allclose(inputs[:, 4], [0.5, 2.5, 0.0])  # to the next
    np.testing.assert_allclose(inputs[:, 5], np.sin(2 * np.pi * np.array([-15, -10, 15]) / 20),
                               atol=1e-6)  # fmt: skip
    assert inputs_of(features_, np.zeros(3), differences=False).shape == (3, 11)


def test_a_sequence_network_killed_between_epochs_ends_as_if_it_had_not_been(
    series: Series, tmp_path: Path
) -> None:
    seen = features_for(series)

    class KilledError(Exception):
        pass

    def killed(done: int, total: int) -> None:
        if done == 8:
            raise KilledError

    arguments = (seen, seen, MIRROR, plain_series_loss, quick())
    whole = fit_sequence(*arguments, Run(tmp_path / "whole"))
    with pytest.raises(KilledError):
        fit_sequence(*arguments, Run(tmp_path / "cut"), killed)
    again = fit_sequence(*arguments, Run(tmp_path / "cut"))
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_going_on_with_other_labels_is_refused(series: Series, tmp_path: Path) -> None:
    seen = features_for(series)
    fit_sequence(seen, None, MIRROR, plain_series_loss, quick(), Run(tmp_path))
    other = replace(seen, series=series.with_study(1 - series.study))
    with pytest.raises(ValueError, match=f"{LAST}: this run was begun with other"):
        fit_sequence(other, None, MIRROR, plain_series_loss, quick(), Run(tmp_path))


def test_a_mirror_image_changes_the_sides_of_what_is_said(series: Series, tmp_path: Path) -> None:
    seen = features_for(series)
    model = fit_sequence(seen, None, MIRROR, plain_series_loss, quick(), Run(tmp_path))
    image, study = predict_series_logits(model, seen, MIRROR, quick())
    turned = replace(seen, inputs=seen.mirrored, mirrored=seen.inputs)
    turned_image, turned_study = predict_series_logits(model, turned, MIRROR, quick())
    np.testing.assert_allclose(turned_image, image, atol=1e-6)
    np.testing.assert_allclose(turned_study, study[:, MIRROR], atol=1e-6)


def test_of_a_long_series_a_sample_stands_for_all(series: Series) -> None:
    lengths = [3, 40, 400]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    inputs = [np.arange(a, b, dtype=np.float32)[:, None] for a, b in pairwise(starts)]
    numbers = np.arange(443.0)[:, None]
    named = replace(
        series.of(np.arange(3)), rows=np.arange(443), starts=starts, position_mm=numbers[:, 0],
        image=numbers,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    one, two = batches_of(named, inputs, 2, np.arange(3), 50, rng)
    assert one.there.sum(1).tolist() == [3, 40]
    assert one.positives is None  # all are there
    assert two.inputs.shape == (1, 50, 1)
    assert torch.equal(two.inputs[..., 0], two.image[..., 0])  # the truth of those slices
    assert two.positives == numbers[43:].sum()
    eighths = (two.inputs[0, :, 0] - 43) // 8
    assert eighths.tolist() == list(range(50))  # one of each stretch of eight


def test_features_are_computed_once_for_the_same_slices_and_encoder(
    store: Any, series: Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(tmp_path, learned(store, series), quick())
    monkeypatch.setattr(features, "predict_batches", None)  # would be called, were anything lacking
    fit(tmp_path, learned(store, series), quick())


@pytest.mark.parametrize("kind", ["last", "logits"])
def test_no_encoder_saw_the_patients_whose_features_it_gives(
    store: Any, series: Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    fitted: dict[int, set[str]] = {}
    seen: list[tuple[int, set[str]]] = []
    real_encoder, real_series = series_fit.fit_encoder, series_fit.embed_series

    def watched_encoder(data: LabeledSlices, split: Split, *rest: Any) -> Any:
        everyone = data.column("patient")
        encoder = real_encoder(data, split, *rest)
        fitted[id(encoder)] = {everyone[place] for place in split.train}
        return encoder

    def watched_series(chosen: Series, encoders: Any, *rest: Any) -> SequenceInputs:
        seen.extend((id(encoder), set(chosen.patients)) for encoder in encoders)
        return real_series(chosen, encoders, *rest)

    monkeypatch.setattr(series_fit, "fit_encoder", watched_encoder)
    monkeypatch.setattr(series_fit, "embed_series", watched_series)
    fit(tmp_path, learned(store, series), quick(f"sequence_features={kind}"))
    one, other = fitted.values()
    assert not one & other  # two parts: each learned from the other
    assert {encoder for encoder, _ in seen} == set(fitted)
    for encoder, patients in seen:
        assert not fitted[encoder] & patients


@pytest.mark.parametrize("together_epochs", [0, 2])
def test_a_run_is_read_again_and_says_the_same(
    store: Any, series: Series, tmp_path: Path, together_epochs: int
) -> None:
    settings = (f"together_epochs={together_epochs}", "together_slices=7", "together_rate=1e-3")
    fitted = fit(tmp_path, learned(store, series), quick(*settings))
    image, study = fitted.levels
    assert [one.level for one in fitted.levels] == ["image", "study"]
    assert study.ids == tuple(f"1.4.{n}" for n in range(16, 20))
    scored = series.of(np.arange(16, 20))
    said = []
    for part in (0, 1):
        reader = read_series_model(tmp_path / "model-0" / f"part-{part}")
        assert (reader.image, reader.study) == (("any",), ("left", "right"))
        inputs = embed_series(scored, reader.encoders, [store], reader.recipe, tmp_path / "other")
        said.append(predict_series_logits(reader.network, inputs, MIRROR, reader.recipe))
    mean = [1 / (1 + np.exp(-np.mean([one[level] for one in said], axis=0))) for level in (0, 1)]
    np.testing.assert_allclose(image.probability, mean[0], atol=1e-6)
    np.testing.assert_allclose(study.probability, mean[1], atol=1e-6)
    about = json.loads((tmp_path / "model-0" / "part-0" / "series.json").read_text())
    assert about["looks"] == ["whole"]
    assert (tmp_path / "model-0" / "part-0" / BEST).is_file()


def test_learning_together_killed_between_epochs_ends_as_if_it_had_not_been(
    store: Any, series: Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = quick("together_epochs=2", "together_slices=7", "together_rate=1e-3")
    whole = fit(tmp_path / "whole", learned(store, series), recipe)

    class KilledError(Exception):
        pass

    real, turns = together._step, []

    def killed(*arguments: Any) -> torch.Tensor:
        turns.append(arguments[-1][0])
        if turns[-1] == 1:
            raise KilledError
        return real(*arguments)

    monkeypatch.setattr(together, "_step", killed)
    with pytest.raises(KilledError):
        fit(tmp_path / "cut", learned(store, series), recipe)
    monkeypatch.undo()
    again = fit(tmp_path / "cut", learned(store, series), recipe)
    for one, other in zip(whole.levels, again.levels, strict=True):
        np.testing.assert_array_equal(one.probability, other.probability)


def test_learning_together_changes_the_encoders_too(
    store: Any, series: Series, tmp_path: Path
) -> None:
    recipe = quick("together_epochs=3", "together_slices=7", "together_rate=1e-3")
    fit(tmp_path, learned(store, series), recipe, choosing=0)  # else the start may be the best
    part = tmp_path / "model-0" / "part-0"
    before, after = (torch.load(folder / "whole" / "best.pt")["model"]
                     for folder in (part, part / "together"))  # fmt: skip
    assert any(not torch.equal(before[name], after[name]) for name in before)
