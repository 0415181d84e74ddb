"""tests/verbs/test_features.py: features are those that the run's last layer judges."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from wetread.models.encoders import last_linear
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.prediction.ensemble import RunError
from wetread.store.store import open_store
from wetread.training.slices.predict import predict_probabilities
from wetread.training.trained_model import read_trained_model
from wetread.verbs.features import features
from wetread.verbs.train.train import TrainResult


def test_the_last_layer_makes_the_run_s_probabilities_of_them(
    one_split: TrainResult, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    result = features(phantoms.images, one_split.run, tmp_path, workers=1)
    table = pl.read_parquet(result.file)
    images = table.filter(pl.col("level") == "image")
    store = open_store(tmp_path / "store")
    assert images["id"].to_list() == store.slices["SOPInstanceUID"].to_list()
    assert images["encoder"].unique().to_list() == ["model-0"]
    trained = read_trained_model(one_split.run / "model-0")
    with torch.inference_mode():
        logits = last_linear(trained.model)(torch.tensor(images["features"].to_list()))
    expected = predict_probabilities(
        trained.model, store, np.arange(len(store)), trained.view, trained.recipe, 1.0
    )
    plain = logits.sigmoid().numpy()  # the prediction averages mirror images too
    assert np.corrcoef(plain[:, -1], expected[:, -1])[0, 1] > 0.9
    assert (result.slices, result.encoders) == (len(store), 1)


def test_a_study_has_the_mean_of_its_slices(
    one_split: TrainResult, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    table = pl.read_parquet(features(phantoms.images, one_split.run, tmp_path, workers=1).file)
    study = table.filter(pl.col("level") == "study").row(0, named=True)
    slices = table.filter((pl.col("level") == "image") & (pl.col("study") == study["id"]))
    np.testing.assert_allclose(
        study["features"], np.mean(slices["features"].to_list(), axis=0), rtol=1e-5, atol=1e-6
    )


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run"):
        features(tmp_path, tmp_path, tmp_path / "out")
