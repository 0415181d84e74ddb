"""training/series/joint.py: encoders and the network over them, learned end to end.

Slices are spread evenly through each series, so memory does not grow with its length; what is
augmented is the mirror image alone, a whole series at a time. Statistics of BatchNorm stay as the
encoders' own training left them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wetread.archive.files.damaged import expect_form
from wetread.models.encoders import last_linear
from wetread.store.store import Store
from wetread.training.device import choose_runtime, seeded_runtime
from wetread.training.optimizer import rate_at, set_rate
from wetread.training.recipe import Recipe
from wetread.training.run import BEST as BEST_ENCODER
from wetread.training.run import CHECKPOINT, Run, TrainedModel
from wetread.training.series.sequence_fit import BEST, LAST, SeriesLoss
from wetread.training.series.series import (
    Rows,
    Series,
    SeriesBatch,
    series_inputs,
    spread_slices,
)
from wetread.training.slices.batches import neighbor_rows, read_with_neighbors
from wetread.view.device import to_view

PICKED, TURNED = 6, 7  # what a seed is drawn for, beside those of batches.py and sequence_fit.py
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class JointModel:
    """Encoders, one a look, and the network over their features."""

    encoders: tuple[TrainedModel, ...]
    network: nn.Module

    def modules(self) -> list[nn.Module]:
        return [*(one.model for one in self.encoders), self.network]


def fit_joint(
    start: JointModel,
    sources: Sequence[Path],
    stores: Sequence[Store],
    series: Series,
    mirror: Rows,
    loss: SeriesLoss,
    judge: Callable[[JointModel], float | None],
    recipe: Recipe,
    run: Run,
    progress: Progress = lambda done, total: None,
) -> JointModel:
    """Go on from start over the series; the epoch that judge finds best is kept, start among them.

    sources: the encoders' folders; stores: each look's slices. mirror: (S,) what each study finding
    becomes in a mirror image.
    The run's folder holds NAME/best.pt and sequence.pt as the parts' own do, and sequence-last.pt
    between. ValueError where that was begun with other settings.
    """
    runtime = choose_runtime(recipe)
    now = copy.deepcopy(start)
    for module in now.modules():
        module.to(runtime.device)  # before the optimizer: what it keeps goes where these are
    parameters = [p for module in now.modules() for p in module.parameters()]
    optimizer = torch.optim.AdamW(
        parameters, lr=recipe.joint.learning_rate, weight_decay=recipe.optimizer.weight_decay
    )
    rates = recipe.with_settings({"optimizer.learning_rate": recipe.joint.learning_rate})
    each = -(-len(series) // recipe.joint.batch_size)
    total = recipe.joint.epochs * each
    epoch, best, kept = 0, judge(start), start
    settings = recipe.model_dump_json(include={"seed", "joint"})
    if (saved := run.load(LAST)) is not None:
        if saved.get("settings") != settings:
            raise ValueError(
                f"{run.folder / LAST}: begun with {saved.get('settings')}. Go on with that, or "
                "give another folder"
            )
        with expect_form(run.folder / LAST, CHECKPOINT, RuntimeError):
            _load(now, saved["now"])
            optimizer.load_state_dict(saved["optimizer"])
            kept = copy.deepcopy(start)
            _load(kept, saved["kept"])
            epoch, best = int(saved["epoch"]), float(saved["best"])
    with seeded_runtime(recipe, runtime.device):
        for turn in range(epoch, recipe.joint.epochs):
            torch.manual_seed(recipe.seed + turn)  # dropout: an epoch begins alike however reached
            order = np.random.default_rng([recipe.seed, PICKED, turn]).permutation(len(series))
            for step, part in enumerate(np.array_split(order, each)):
                set_rate(optimizer, rate_at(turn * each + step, recipe.joint.epochs * each, rates))
                value = _step(now, stores, series, part, mirror, loss, recipe, (turn, step))
                optimizer.zero_grad()
                value.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(parameters, recipe.optimizer.max_norm)
                optimizer.step()
                progress(turn * each + step + 1, total)
            value_now = judge(now)
            if value_now is None or best is None or value_now < best:
                best, kept = value_now, copy.deepcopy(now)
            state: dict[str, Any] = {
                "now": _state(now),
                "kept": _state(kept),
                "best": best,
                "epoch": turn + 1,
            }
            state |= {"optimizer": optimizer.state_dict(), "settings": settings}
            run.save(LAST, state)
    _write(kept, sources, run)
    return kept


def _step(
    now: JointModel,
    stores: Sequence[Store],
    series: Series,
    part: Rows,
    mirror: Rows,
    loss: SeriesLoss,
    recipe: Recipe,
    at: tuple[int, int],
) -> Tensor:
    """The loss of some series, each through slices spread over it."""
    rng = np.random.default_rng([recipe.seed, TURNED, *at])
    device = choose_runtime(recipe).device
    picked = [
        series.starts[e] + spread_slices(len(_of(series, int(e))), recipe.joint.slices, rng)
        for e in part
    ]
    turned = rng.random(len(part)) < (0.5 if recipe.series.mirror else 0.0)
    inputs = []
    for places, flip in zip(picked, turned, strict=True):
        features = [
            _features(one, store, series.rows[places], bool(flip), device)
            for one, store in zip(now.encoders, stores, strict=True)
        ]
        position = torch.from_numpy(series.position_mm[places]).to(device)
        inputs.append(series_inputs(torch.cat(features, 1), position, recipe.series.differences))
    longest = max(map(len, inputs))
    there = torch.zeros(len(part), longest, dtype=torch.bool, device=device)
    truth = torch.full((len(part), longest, series.image.shape[1]), torch.nan, device=device)
    for number, places in enumerate(picked):
        there[number, : len(places)] = True
        truth[number, : len(places)] = torch.from_numpy(series.image[places]).to(truth)
    study = np.where(turned[:, None], series.study[part][:, mirror], series.study[part])
    x = nn.utils.rnn.pad_sequence(inputs, batch_first=True)
    positives = [float(np.nansum(_of(series, int(e))[:, 0])) for e in part]
    batch = SeriesBatch(x, there, truth, torch.from_numpy(study).to(x), x.new_tensor(positives))
    image_logits, study_logits = now.network.train()(x, there)
    return loss(image_logits, study_logits, batch)


def _of(series: Series, e: int) -> NDArray[np.float64]:
    """(n, I) truth of all slices of a series."""
    return series.image[series.starts[e] : series.starts[e + 1]]


def _features(
    one: TrainedModel, store: Store, rows: Rows, flip: bool, device: torch.device
) -> Tensor:
    """(n, D) what the last layer takes, with gradients."""
    hu = read_with_neighbors(store, neighbor_rows(store.slices, rows, one.view.neighbors))
    image = to_view(torch.from_numpy(hu).to(device), one.view)
    seen: list[Tensor] = []
    hook = last_linear(one.model).register_forward_pre_hook(
        lambda module, given: seen.append(given[0])
    )
    with hook:
        one.model.eval()(image.flip(-1) if flip else image)
    return seen[0].float()


def _state(one: JointModel) -> list[dict[str, Tensor]]:
    return [{k: v.cpu() for k, v in module.state_dict().items()} for module in one.modules()]


def _load(one: JointModel, states: Sequence[dict[str, Tensor]]) -> None:
    for module, state in zip(one.modules(), states, strict=True):
        module.load_state_dict(state)


def _write(kept: JointModel, sources: Sequence[Path], run: Run) -> None:
    """Each encoder as its own best.pt, beside the network: what series_run.py reads."""
    *encoders, network = _state(kept)
    for source, state in zip(sources, encoders, strict=True):
        content = Run(source).read(BEST_ENCODER)
        Run(run.folder / source.name).save(BEST_ENCODER, {**content, "model": state})
    run.save(BEST, {"model": network})
