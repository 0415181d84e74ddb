"""tests/verbs/bundle/test_bundle.py: a bundle reads as its run does, without torch; a changed byte
of any of its files is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file
from tests.test_without_torch import run as run_without_torch

import wetread
from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.types import Progress
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.prediction.answers import Answers
from wetread.prediction.bundle import BundleError, read_bundle
from wetread.prediction.ensemble import read_ensemble
from wetread.prediction.members import Ensemble
from wetread.prediction.readers import make_reader
from wetread.store.store import Store
from wetread.training.mask_table import unpack_map
from wetread.training.trained_model import read_trained_model
from wetread.verbs.train.train import TrainResult

MakeRun = Callable[..., Any]
CLOSE = 1e-5  # a tenth of what a bundle promises


def silent(done: int, total: int) -> None:
    """Reports nothing."""


PROGRESS: Progress = silent


@pytest.fixture(scope="session")
def bundled(one_split: TrainResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundle") / "bundle"
    made = wetread.bundle(one_split.run, out, weights_license="CC-BY-4.0")
    assert made.graphs[0] == "model.onnx"
    return out


def answers(ensemble: Ensemble, made: Any, store: Store, cache: Path) -> Answers:
    reader = make_reader(ensemble, made.spec, cache)
    return reader.read([store] * made.crops, ranked={}, progress=PROGRESS)


def both(made: Any, store: Store, tmp_path: Path, **words: Any) -> tuple[Answers, Answers]:
    """The answers of a run and of its bundle about a store."""
    wetread.bundle(made.folder, tmp_path / "bundle", **words)
    by_run = answers(read_ensemble([made.folder]), made, store, tmp_path / "torch")
    by_bundle = answers(read_bundle(tmp_path / "bundle"), made, store, tmp_path / "onnx")
    return by_run, by_bundle


def assert_alike(ours: Answers, theirs: Answers) -> None:
    np.testing.assert_allclose(ours.image, theirs.image, atol=CLOSE)
    assert np.ptp(ours.image) > 100 * CLOSE  # answers that differ from slice to slice
    assert list(ours.study) == list(theirs.study)
    for study, values in ours.study.items():
        np.testing.assert_allclose(values, theirs.study[study], atol=CLOSE)
    assert ours.broken == theirs.broken


def test_a_bundle_predicts_as_its_run_where_torch_is_not_installed(
    phantoms: PhantomTruth, one_split: TrainResult, bundled: Path, tmp_path: Path
) -> None:
    wetread.predict([phantoms.images], [one_split.run], tmp_path / "run", workers=1)
    command = ("predict", phantoms.images, "--bundle", bundled, "-o", tmp_path / "out")
    codes, errors = run_without_torch((*command, "--workers", "1"))
    assert codes == [0], errors
    ours, theirs = (pl.read_csv(tmp_path / name / "probabilities.csv") for name in ("out", "run"))
    keys = ["level", "id", "finding"]
    assert ours.select(keys).equals(theirs.select(keys))
    assert (ours["probability"] - theirs["probability"]).abs().max() < CLOSE  # type: ignore[operator]
    ours, theirs = (pl.read_csv(tmp_path / name / "submission.csv") for name in ("out", "run"))
    assert ours["ID"].equals(theirs["ID"])
    assert (ours["Label"] - theirs["Label"]).abs().max() < CLOSE  # type: ignore[operator]
    page = (tmp_path / "out" / "page.html").read_text()
    assert "no glow: a bundle has no gradients" in page
    reading = json.loads(next((tmp_path / "out" / "readings").glob("*.json")).read_text())
    digests = json.loads((bundled / "digests.json").read_text())
    assert reading["provenance"]["bundle"] == digests["all"]


def test_networks_of_slices_that_draw_give_equal_probabilities_and_maps(
    slices_run: MakeRun, noise: Store, tmp_path: Path
) -> None:
    made = slices_run(
        "pneumothorax", "pneumothorax-compact", "crop=task", "windows=subdural", members=2
    )
    ours, theirs = both(made, noise, tmp_path)
    assert_alike(ours, theirs)
    assert ours.masks.findings == theirs.masks.findings == ("pneumothorax",)
    for own, other in zip(ours.masks.maps, theirs.masks.maps, strict=True):
        for network, twin in zip(own, other, strict=True):
            for drawn, expected in zip(network, twin, strict=True):
                difference = np.abs(unpack_map(drawn) - unpack_map(expected))
                assert difference.max() <= 1.01 / 255  # packed to 1/255


def test_networks_of_neighboring_slices_and_other_modes_give_equal_probabilities(
    slices_run: MakeRun, noise: Store, tmp_path: Path
) -> None:
    made = slices_run("hemorrhage", "compact", "neighbors=1", "windows=sigmoid-gradient-bsb")
    assert_alike(*both(made, noise, tmp_path))


def test_series_whose_encoders_draw_are_judged_alike(
    series_run: MakeRun, noise: Store, tmp_path: Path
) -> None:
    made = series_run("embolism", "embolism-compact", "phantoms.studies=0")
    ours, theirs = both(made, noise, tmp_path)
    assert_alike(ours, theirs)
    assert set(ours.volumes) == {"1.2", "1.3"}
    for study, volumes in ours.volumes.items():
        for own, other in zip(volumes, theirs.volumes[study], strict=True):
            assert own.finding == other.finding
            np.testing.assert_allclose(own.maps.maps, other.maps.maps, atol=1.01 / 255)


@pytest.mark.parametrize(
    "settings",
    [
        ("series.heads=['network', 'slices', 'boosting']", "series.features=last"),
        ("series.network=transformer", "series.mirror=false", "series.features=logits"),
    ],
)
def test_series_of_other_heads_and_features_are_judged_alike(
    series_run: MakeRun, noise: Store, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    made = series_run(
        "hemorrhage", "series-heads", "phantoms.studies=0", "joint.epochs=0", *settings
    )
    assert_alike(*both(made, noise, tmp_path))


def test_a_changed_byte_of_any_file_is_refused_by_its_name(bundled: Path) -> None:
    files = [path for path in bundled.rglob("*") if path.is_file() and path.suffix != ".txt"]
    assert {"model.onnx", "weights.safetensors", "digests.json", "model.ts", "card.md"} <= {
        path.name for path in files
    }
    for path in files:
        content = path.read_bytes()
        for place in (0, len(content) // 2, len(content) - 1):
            changed = bytearray(content)
            changed[place] ^= 1
            path.write_bytes(changed)
            with pytest.raises(DamagedFileError) as error:
                read_bundle(bundled)
            assert error.value.path == path, place
            assert "\n" not in str(error.value)
        path.write_bytes(content)
    read_bundle(bundled)


def test_a_file_that_is_gone_is_refused_by_its_name(bundled: Path) -> None:
    graph = bundled / "model.onnx"
    content = graph.read_bytes()
    graph.unlink()
    with pytest.raises(DamagedFileError, match=r"model\.onnx: not there"):
        read_bundle(bundled)
    graph.write_bytes(content)


def test_what_is_no_bundle_says_what_to_give(tmp_path: Path, one_split: TrainResult) -> None:
    with pytest.raises(BundleError, match=r"no bundle \(no bundle\.json\)"):
        read_bundle(one_split.run)
    with pytest.raises(ValueError, match="give a bundle or runs, not both"):
        wetread.predict(tmp_path, [one_split.run], tmp_path / "out", bundle=tmp_path)
    with pytest.raises(ValueError, match="give it to wetread bundle"):
        wetread.predict(tmp_path, (), tmp_path / "out", bundle=tmp_path, at="sensitivity=0.9")
    with pytest.raises(ValueError, match="give runs, or a bundle"):
        wetread.predict(tmp_path, (), tmp_path / "out")


def test_weights_are_those_of_the_run_under_the_names_of_their_graphs(
    one_split: TrainResult, bundled: Path
) -> None:
    weights = load_file(bundled / "weights.safetensors")
    state = read_trained_model(one_split.run / "model-0").model.state_dict()
    assert set(weights) == {f"model.{name}" for name in state}
    for name, tensor in state.items():
        np.testing.assert_array_equal(weights[f"model.{name}"], tensor.numpy())


def test_a_bundle_says_where_it_comes_from_and_nothing_of_a_patient(
    one_split: TrainResult, bundled: Path
) -> None:
    about = json.loads((bundled / "bundle.json").read_text())
    assert about["license"]["weights"] == "CC-BY-4.0"
    (run,) = about["provenance"]["runs"]
    assert (len(run["digest"]), len(run["data_digest"])) == (64, 32)
    assert run["recipe"]["size"] == 32
    assert about["scores"][0]
    folds = json.loads((one_split.run / "folds.json").read_text())
    table = pl.read_parquet(one_split.run / "predictions.parquet")
    hidden = {*folds["assignment"], *table["patient"], *table["id"], *table["study"]}
    assert len(hidden) > 20
    for path in bundled.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [name for name in hidden if name.encode() in content], path
