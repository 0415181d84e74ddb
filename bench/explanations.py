"""bench/explanations.py: do the maps of what speaks for a finding point at the lesion?

python -m bench explanations [RUN]: a run of head CT that draws no masks (bench/work/bounds/
hemorrhage/run, by `wetread demo` where there is none) explains slices of fresh phantoms whose
bleedings are known by the pixel. Of every way: the share of slices whose highest point lies in the
bleeding (at random: the bleeding's share of the picture), and the share of the map's sum within it,
with intervals over patients; each on the network's last map and on the one before it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.visualize import GradCAM, GradCAMpp, OcclusionSensitivity
from torch import Tensor, nn

from bench.bounds import FOLDER, FRESH, fresh
from wetread.archive.types import Float32Array, Float64Array
from wetread.evaluation.intervals import bootstrap
from wetread.inputs.archive import open_archive
from wetread.inputs.progress import silent
from wetread.models.heat import heat_map
from wetread.study.series import series_slices
from wetread.tasks import find_task
from wetread.training.masks import annotated_masks, mask_targets
from wetread.training.slices.batches import neighbor_rows, read_with_neighbors
from wetread.training.trained_model import TrainedModel, read_trained_model
from wetread.verbs.demo import demo
from wetread.verbs.pack import pack_crops_of
from wetread.verbs.train.pretrain import phantom_labels
from wetread.view.device import to_view

TASK, SEED, MOST = "hemorrhage", 0, 200
LEAST = 8  # pixels of the view: smaller bleedings are left out
Explain = Callable[[Tensor], Tensor]  # gray (B, C, H, W) -> (B, h, w), what speaks for it high


def compare() -> list[dict[str, Any]]:
    """Hit rate and energy of every way, with intervals."""
    run = Path(sys.argv[2]) if len(sys.argv) > 2 else FOLDER / TASK / "run"
    if not run.is_dir():
        demo(FOLDER / TASK, TASK)
    trained = read_trained_model(run / "model-0")
    views, masks, patients = positive_slices(trained)
    chance = float(masks.mean())
    rows: list[dict[str, Any]] = [
        {"way": "at random", "slices": len(masks), "hits": chance, "energy": chance}
    ]
    for way, explain in ways(trained).items():
        hits, energy = measure(explain, views, masks)
        row = {"way": way, "slices": len(masks), **with_interval("hits", hits, patients)}
        rows.append(row | with_interval("energy", energy, patients))
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def positive_slices(trained: TrainedModel) -> tuple[Tensor, Float32Array, list[str]]:
    """Views (N, C, H, W) of slices with blood, where it is (N, H, W), and whose they are."""
    task, archive, out = find_task(TASK), fresh(TASK, FRESH), FOLDER / "explained"
    index = open_archive([archive], out, workers=1, report=silent)
    store = pack_crops_of(
        series_slices(index.images), out, task, size=trained.view.size, workers=1, report=silent
    )[0]
    labels = phantom_labels(task, archive)
    findings = tuple(task.phantoms.masks.values())
    unknown = np.full((len(store), len(findings)), np.nan)
    masks = annotated_masks(store.slices, unknown, labels, findings, findings)
    targets = mask_targets(masks, trained.view.size)
    union = targets.at(np.arange(len(store))).max(axis=1)
    places = np.flatnonzero((union >= 0.5).sum(axis=(1, 2)) >= LEAST)
    places = places[np.linspace(0, len(places) - 1, min(MOST, len(places))).round().astype(int)]
    around = neighbor_rows(store.slices, places, trained.view)
    views = to_view(torch.from_numpy(read_with_neighbors(store, around)), trained.view)
    patients = store.slices["patient"].gather(places).to_list()
    return views, (union[places] >= 0.5).astype(np.float32), patients


def class_activation(
    kind: Callable[..., Any], model: nn.Module, layer: str, column: int
) -> Explain:
    """Explain a logit of a network by a kind of MONAI's class activation maps over a layer."""
    cam = kind(
        nn_module=model,
        target_layers=layer,
        postprocessing=lambda x: x,
        upsampler=lambda size: nn.Identity(),
    )

    def explain(x: Tensor) -> Tensor:
        maps = [cam(one[None], class_idx=column)[0, 0] for one in x]
        return torch.stack([torch.as_tensor(one) for one in maps]).clamp_min(0)

    return explain


def ways(trained: TrainedModel) -> Mapping[str, Explain]:
    """The ways to explain the headline's logit."""
    model, column = trained.model.eval(), find_task(TASK).headline_column
    names = [name for name, _ in model.named_modules() if name.startswith("blocks.")]
    last = max(int(name.split(".")[1]) for name in names)

    occlusion = OcclusionSensitivity(
        model, mask_size=16, n_batch=32, overlap=0.5, activate=False, verbose=False
    )

    def occlude(x: Tensor) -> Tensor:
        with torch.no_grad():
            whole = model(x)[:, column]
            left = [occlusion(one[None])[0][0, column] for one in x]
        return torch.stack(
            [(all_of - one).clamp_min(0) for all_of, one in zip(whole, left, strict=True)]
        )

    return {
        **{
            f"{name}, {where} map": class_activation(kind, model, f"blocks.{last - back}", column)
            for name, kind in (("Grad-CAM", GradCAM), ("Grad-CAM++", GradCAMpp))
            for back, where in ((0, "last"), (1, "last but one"))
        },
        "HiResCAM, last map": lambda x: heat_map(model, x, column),
        "HiResCAM, last but one map": lambda x: heat_map(model, x, column, back=1),
        "occlusion of 16 pixels": occlude,
    }


def measure(
    explain: Explain, views: Tensor, masks: Float32Array
) -> tuple[Float64Array, Float64Array]:
    """Whether the highest point of each map lies in the mask, and the share of its sum that does;
    a map without a point above 0 misses."""
    hits, energy = np.zeros(len(masks)), np.zeros(len(masks))
    for place, mask in enumerate(masks):
        small = explain(views[place : place + 1])[:, None]
        heat = nn.functional.interpolate(small, mask.shape, mode="bilinear")[0, 0].detach().numpy()
        if heat.max() > 0:
            hits[place] = mask.flat[int(heat.argmax())]
            energy[place] = (heat * mask).sum() / heat.sum()
    return hits, energy


def with_interval(name: str, values: Float64Array, patients: list[str]) -> dict[str, float]:
    """The mean of values (N,) by this name, and its 95 % interval over patients."""
    found = bootstrap(
        lambda rows: float(values[rows].mean()), patients, np.random.default_rng(SEED), draws=1000
    )
    low, high = found or (float("nan"), float("nan"))
    return {name: float(values.mean()), f"{name}_low": low, f"{name}_high": high}
