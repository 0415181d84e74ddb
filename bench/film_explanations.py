"""bench/film_explanations.py: do the maps of what speaks for a pneumothorax point at it?

python -m bench.film_explanations RUN [RUN ...]: folders of runs of bench/radiographs.py. Each
positive film whose mask is known is explained by a network that never saw its patient. Of every
way: the share of films whose highest point lies in the mask, and the share of the map's sum within
it, with intervals over patients; "masks" are what a network draws, where it does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from monai.visualize import GradCAM, GradCAMpp, OcclusionSensitivity
from torch import Tensor, nn

from bench.explanations import Explain, class_activation, measure, with_interval
from bench.radiographs import FOLDERS, TASK, data, predictions
from wetread.labels.table import merge_labels
from wetread.models.heat import heat_map
from wetread.models.unet import Unet
from wetread.store.store import Store, open_store
from wetread.tasks import find_task
from wetread.training.masks import annotated_masks, mask_targets
from wetread.training.slices.members import read_members
from wetread.view.device import to_view

PATCH = 32  # pixels of the view that occlusion covers


def explain_run(run: Path) -> list[dict[str, Any]]:
    """Hit rate and energy of every way, over all splits of a run."""
    store, table = open_store(run / "store"), predictions(run)
    hits: dict[str, list[float]] = {}
    energy: dict[str, list[float]] = {}
    patients: list[str] = []
    chance: list[float] = []
    for number in sorted(table["model"].unique()):
        trained = read_members(run, number)[0]
        rows = table.filter(pl.col("model") == number, pl.col("truth") == 1)["row"].to_numpy()
        masks = known_masks(store, rows, trained.view.size)
        seen = masks.any(axis=(1, 2))
        views = to_view(torch.from_numpy(store.read_hu(rows[seen])[:, None]), trained.view)
        patients += store.slices["patient"].gather(rows[seen]).to_list()
        chance += masks[seen].mean(axis=(1, 2)).tolist()
        for way, explain in ways(trained.model.eval(), views[:1]).items():
            found = measure(explain, views, masks[seen].astype(np.float32))
            for values, kept in zip(found, (hits, energy), strict=True):
                kept.setdefault(way, []).extend(values.tolist())
    rows_of = [{"way": "at random", "films": len(chance), "hits": np.mean(chance)}]
    for way in hits:
        row = {"way": way, "films": len(chance)}
        for name, of_films in (("hits", hits[way]), ("energy", energy[way])):
            row |= with_interval(name, np.array(of_films), patients)
        rows_of.append(row)
    return rows_of


def known_masks(store: Store, rows: np.ndarray, size: int) -> np.ndarray:
    """The masks (n, size, size) bool of films by row of the store, empty where none is known."""
    task = find_task(TASK)
    files = [data() / one / masks for one, masks in FOLDERS.items()]
    labels = merge_labels([task.read_labels(file, task.findings) for file in files])
    unknown = np.full((len(rows), 1), np.nan)
    slices = store.slices[rows]
    masks = annotated_masks(slices, unknown, labels, task.spec.drawn, task.spec.image_findings)
    return np.asarray(mask_targets(masks, size).at(np.arange(len(rows)))[:, 0] >= 0.5)


def ways(model: nn.Module, example: Tensor) -> Mapping[str, Explain]:
    """The ways to explain the one logit of a network."""

    occlusion = OcclusionSensitivity(
        model, mask_size=PATCH, n_batch=32, overlap=0.5, activate=False, verbose=False
    )

    def occlude(x: Tensor) -> Tensor:
        with torch.no_grad():
            return (model(x)[:, 0] - occlusion(x)[0][:, 0]).clamp_min(0)

    last = last_layer(model, example)
    found: dict[str, Explain] = {
        "HiResCAM, last map": lambda x: heat_map(model, x, 0),
        "HiResCAM, last but one map": lambda x: heat_map(model, x, 0, back=1),
        "Grad-CAM, last map": class_activation(GradCAM, model, last, 0),
        "Grad-CAM++, last map": class_activation(GradCAMpp, model, last, 0),
        f"occlusion of {PATCH} pixels": occlude,
    }
    if isinstance(model, Unet):
        with_masks = model.forward_with_masks
        found["masks"] = lambda x: torch.sigmoid(with_masks(x)[1][:, 0]).detach()
    return found


def last_layer(model: nn.Module, example: Tensor) -> str:
    """Name the module that gives the last map of the smallest size."""
    sizes: dict[str, int] = {}
    hooks = [
        module.register_forward_hook(
            lambda module, given, out, name=name: (
                sizes.update({name: out.shape[2]})
                if isinstance(out, Tensor) and out.ndim == 4 and out.shape[2] > 1
                else None
            )
        )
        for name, module in model.named_modules()
        if name
    ]
    with torch.no_grad():
        model(example)
    for hook in hooks:
        hook.remove()
    smallest = min(sizes.values())
    return [name for name, size in sizes.items() if size == smallest][-1]


if __name__ == "__main__":
    for given in sys.argv[1:]:
        print(json.dumps({"run": given, "ways": explain_run(Path(given))}, indent=1), flush=True)
