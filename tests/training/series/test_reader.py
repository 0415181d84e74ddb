"""tests/training/series/test_reader.py: a part of a run is read again as it was trained."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.training.blob_series import FLIP_INDEX, fit, quick, series_data

from wetread.training.series.embed_series import embed_series
from wetread.training.series.reader import read_series_model
from wetread.training.series.sequence_fit import BEST, predict_series_logits
from wetread.training.series.series import Series


@pytest.mark.parametrize("joint_epochs", [0, 2])
def test_a_run_is_read_again_and_gives_the_same(
    store: Any, series: Series, tmp_path: Path, joint_epochs: int
) -> None:
    settings = (f"joint.epochs={joint_epochs}", "joint.slices=7", "joint.learning_rate=1e-3")
    fitted = fit(tmp_path, series_data(store, series), quick(*settings))
    image, study = fitted.levels
    assert [one.level for one in fitted.levels] == ["image", "study"]
    assert study.ids == tuple(f"1.4.{n}" for n in range(16, 20))
    scored = series.of(np.arange(16, 20))
    logits = []
    for part in (0, 1):
        reader = read_series_model(tmp_path / "model-0" / f"part-{part}")
        assert (reader.image, reader.study) == (("any",), ("left", "right"))
        inputs = embed_series(scored, reader.encoders, [store], reader.recipe, tmp_path / "other")
        logits.append(predict_series_logits(reader.network, inputs, FLIP_INDEX, reader.recipe))
    mean = [1 / (1 + np.exp(-np.mean([one[level] for one in logits], axis=0))) for level in (0, 1)]
    np.testing.assert_allclose(image.probability, mean[0], atol=1e-6)
    np.testing.assert_allclose(study.probability, mean[1], atol=1e-6)
    about = json.loads((tmp_path / "model-0" / "part-0" / "series.json").read_text())
    assert about["looks"] == ["whole"]
    assert (tmp_path / "model-0" / "part-0" / BEST).is_file()
