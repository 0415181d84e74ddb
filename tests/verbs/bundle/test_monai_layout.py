"""tests/verbs/bundle/test_monai_layout.py: MONAI loads and runs it, with the same logits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, load, run

import wetread
from wetread.models.flip_average import FlipAverage
from wetread.prediction.ensemble import read_ensemble
from wetread.training.data import mirror_columns
from wetread.training.trained_model import TrainedModel
from wetread.view.device import to_view


@pytest.mark.filterwarnings("ignore")  # MONAI's own, and torch's of TorchScript
def test_monai_loads_and_runs_a_bundle_with_the_same_logits(
    slices_run: Callable[..., Any], tmp_path: Path
) -> None:
    made = slices_run("hemorrhage", "compact", members=2)
    folder = tmp_path / "bundle"
    wetread.bundle(made.folder, folder)
    hu = torch.from_numpy(np.random.default_rng(0).normal(40, 60, (3, 1, 32, 32))).float()
    flip_index, sides = mirror_columns(made.spec.image_findings).tolist(), []
    for member in read_ensemble([made.folder]).members:
        assert isinstance(member.model, TrainedModel)
        with torch.inference_mode():
            network = FlipAverage(member.model.model, flip_index)
            sides.append(network(to_view(hu, member.model.view))[0])
    expected = torch.stack(sides).mean(0).float()
    network, metadata, _ = load("bundle", bundle_dir=tmp_path, load_ts_module=True, device="cpu")
    torch.testing.assert_close(network(hu), expected, atol=1e-5, rtol=1e-5)
    assert metadata["network_data_format"]["inputs"]["image"]["spatial_shape"] == [32, 32]
    config = folder / "configs" / "inference.json"
    np.save(tmp_path / "hu.npy", hu.numpy())
    given = {"bundle_root": str(folder), "input": str(tmp_path / "hu.npy")}
    parser = ConfigParser()
    parser.read_config(str(config))
    parser.update(given)
    logits = parser.get_parsed_content("network_def")(parser.get_parsed_content("image"))
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)
    run(
        run_id="run", init_id="initialize", final_id="finalize", config_file=str(config),
        meta_file=str(folder / "configs" / "metadata.json"), logging_file=False,
        output=str(tmp_path / "logits.npy"), **given,
    )  # fmt: skip
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), expected.numpy(), atol=1e-5)
    names = json.loads((folder / "configs" / "metadata.json").read_text())["network_data_format"]
    assert names["outputs"]["pred"]["channel_def"]["5"] == "any"
