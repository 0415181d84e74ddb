"""bench/onnx_graphs.py: one head CT by a bundle's graph in onnxruntime, and by torch."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from bench.data import WORK, in_turn, packed
from wetread.labels.finding import finding_names
from wetread.models.encoders import build
from wetread.models.export_onnx import export_slices
from wetread.prediction.onnx_networks import OnnxGraph, OnnxNetwork
from wetread.store.store import acquisition_keys
from wetread.tasks import find_task
from wetread.training.data import mirror_columns
from wetread.training.device import choose_runtime
from wetread.training.networks import SliceNetwork
from wetread.training.recipe_file import read_recipe
from wetread.training.trained_model import TrainedModel

REPEATED = 4  # readings of the study in a round


def compare() -> list[dict[str, Any]]:
    """CPU milliseconds a slice, image and mirror image, of the task's default network."""
    task = find_task("hemorrhage")
    findings = task.spec.image_findings
    mirror, names = mirror_columns(findings).tolist(), finding_names(findings)
    recipe = read_recipe(task.recipe, ["runtime.device=cpu", "runtime.readers=1"])
    store, _ = packed(recipe.size)
    rows = np.flatnonzero(acquisition_keys(store.slices).rle_id().to_numpy() == 0)
    torch.manual_seed(0)
    model = build(recipe.encoder, recipe.view.channels, len(names)).eval()
    file = WORK / "model.onnx"
    export_slices(model, recipe.view, mirror, 0, file)
    ours = OnnxNetwork(
        OnnxGraph(file), names, (), recipe.view, recipe, negative_rate=1.0, epoch=0,
        weights_digest="",
    )  # fmt: skip

    def read(network: SliceNetwork) -> np.ndarray:
        """Logits (n, F) of the study."""
        batches = network.read([network], store, rows, mirror)
        return np.concatenate([batch.logits for (batch,) in batches])

    def repeat(network: SliceNetwork) -> None:
        for _ in range(REPEATED):
            read(network)

    found = []
    for precision in ("float32", "auto"):
        own = recipe.with_settings({"runtime.precision": precision})
        theirs = TrainedModel(
            model, names, (), recipe.view, own, negative_rate=1.0, epoch=0, value=None
        )
        taken = in_turn(partial(repeat, ours), partial(repeat, theirs))
        each = [seconds / REPEATED / len(rows) * 1e3 for seconds in taken]
        chosen = str(choose_runtime(own).precision).removeprefix("torch.")
        apart = np.abs(read(ours) - read(theirs)).max()
        found.append(
            {
                "name": f"onnx_vs_torch_{precision}",
                "ours": each[0],
                "theirs": each[1],
                "unit": "CPU ms a slice",
                "ratio": each[1] / each[0],
                "remark": f"{recipe.encoder} at {recipe.size} px, {len(rows)} slices and their "
                f"mirror images, read and windowed; torch in {chosen}; logits {apart:.1g} apart",
            }
        )
    return found
