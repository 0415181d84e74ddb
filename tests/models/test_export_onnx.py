"""tests/models/test_export_onnx.py: graphs of ONNX give what the networks give, of any batch and
length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from wetread.models.encoders import ENCODERS, build, last_linear
from wetread.models.export_onnx import (
    export_encoder,
    export_pooled,
    export_sequence,
    export_slices,
)
from wetread.models.features import DrawingExtractors, feature_extractor
from wetread.models.flip_average import FlipAverage
from wetread.models.pooled_maps import PooledMaps
from wetread.models.sequence import SEQUENCES, build_sequence
from wetread.view.device import to_view
from wetread.view.mode import find_mode
from wetread.view.view import View

SIZE = 32
CLOSE = 1e-5


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)
        yield


def view_of(mode: str, neighbors: int = 0) -> View:
    found = find_mode(mode)
    return View(found.windows, neighbors, SIZE, found.mix)


def run(path: Path, **inputs: torch.Tensor) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = {name: one.numpy() for name, one in inputs.items()}
    found: list[np.ndarray] = session.run(None, given)
    return found


def random_hu(view: View, batch: int) -> torch.Tensor:
    return torch.randn(batch, view.slices, SIZE, SIZE) * 90 + 40


def network(name: str, view: View, masks: int = 0) -> nn.Module:
    model = build(name, view.channels, 4, masks=masks).eval()
    nn.init.normal_(last_linear(model).weight, std=0.3)
    return model


@pytest.mark.parametrize("name", list(ENCODERS))
def test_every_encoder_gives_the_logits_of_image_and_mirror_image(
    name: str, tmp_path: Path
) -> None:
    view, flip_index = view_of("bsb"), [1, 0, 2, 3]
    model = network(name, view)
    export_slices(model, view, flip_index, 0, tmp_path / "model.onnx")
    for batch in (1, 3):
        hu = random_hu(view, batch)
        logits, mirrored = run(tmp_path / "model.onnx", hu=hu)
        expected, _, apart = FlipAverage(model, flip_index)(to_view(hu, view))
        np.testing.assert_allclose((logits + mirrored) / 2, expected, atol=CLOSE)
        np.testing.assert_allclose(np.abs(logits - mirrored) / 2, apart, atol=CLOSE)


@pytest.mark.parametrize(
    "mode", ["exclusive", "gradient-bsb", "sigmoid-gradient-bsb", "all-channels"]
)
def test_windows_of_every_curve_and_mix_are_inside(mode: str, tmp_path: Path) -> None:
    view = view_of(mode, neighbors=1)
    model = network("slim", view)
    export_slices(model, view, [0, 1, 2, 3], 0, tmp_path / "model.onnx")
    hu = random_hu(view, 2)
    logits, _ = run(tmp_path / "model.onnx", hu=hu)
    np.testing.assert_allclose(logits, model(to_view(hu, view)), atol=CLOSE)


def test_what_is_drawn_is_the_mean_over_both_sides(tmp_path: Path) -> None:
    view = view_of("brain")
    model = network("slim", view, masks=2)
    export_slices(model, view, [0, 1, 2, 3], 2, tmp_path / "model.onnx")
    hu = random_hu(view, 3)
    _, _, masks = run(tmp_path / "model.onnx", hu=hu)
    _, expected, _ = FlipAverage(model, [0, 1, 2, 3])(to_view(hu, view))
    np.testing.assert_allclose(masks, expected, atol=CLOSE)


@pytest.mark.parametrize("kind", ["last", "logits", "drawn"])
def test_an_encoder_gives_its_features_of_both_sides(kind: str, tmp_path: Path) -> None:
    view = view_of("brain")
    model = network("slim", view, masks=2)
    export_encoder(model, view, kind, tmp_path / "model.onnx")
    hu = random_hu(view, 2)
    features, mirrored, *maps = run(tmp_path / "model.onnx", hu=hu)
    gray, extract = to_view(hu, view), feature_extractor(model, kind)
    np.testing.assert_allclose(features, extract(gray), atol=CLOSE, rtol=CLOSE)
    np.testing.assert_allclose(mirrored, extract(gray.flip(-1)), atol=CLOSE, rtol=CLOSE)
    if kind == "drawn":
        *_, mean = DrawingExtractors([extract, extract], [False, True])(gray)
        np.testing.assert_allclose(np.mean(maps, axis=0), mean, atol=CLOSE)


def test_pooled_maps_are_those_of_the_encoder(tmp_path: Path) -> None:
    view = view_of("bsb")
    model = network("compact", view)
    export_pooled(model, "compact", view, tmp_path / "bounds.onnx")
    hu = random_hu(view, 2)
    (expected,) = PooledMaps(model, "compact")(to_view(hu, view))
    np.testing.assert_allclose(run(tmp_path / "bounds.onnx", hu=hu)[0], expected, atol=CLOSE)


@pytest.mark.parametrize("overall", [0, 3])
@pytest.mark.parametrize("name", list(SEQUENCES))
def test_a_network_over_series_takes_any_length(name: str, overall: int, tmp_path: Path) -> None:
    model = build_sequence(name, 20, 2, 2, overall).eval()
    export_sequence(model, 20, tmp_path / "sequence.onnx")
    for length in (1, 2, 8, 33):
        x = torch.randn(1, length, 20)
        image, study = run(tmp_path / "sequence.onnx", inputs=x)
        expected = model(x, torch.ones(1, length, dtype=torch.bool))
        np.testing.assert_allclose(image, expected[0], atol=CLOSE)
        np.testing.assert_allclose(study, expected[1], atol=CLOSE)
