"""verbs/bundle/networks.py: networks of runs become graphs of a bundle, and their description."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from wetread.archive.errors import WetreadError
from wetread.archive.files.atomic import atomic_path
from wetread.archive.types import JsonObject
from wetread.models.encoders import last_linear
from wetread.models.export_onnx import (
    export_encoder,
    export_pooled,
    export_sequence,
    export_slices,
)
from wetread.prediction.members import Ensemble, Member
from wetread.prediction.provenance import within_run
from wetread.tasks import Task
from wetread.training.data import mirror_columns
from wetread.training.series.reader import SeriesModel
from wetread.training.trained_model import TrainedModel


class ExportError(WetreadError, ValueError):
    """Networks that cannot become graphs."""


@dataclass(frozen=True, eq=False)
class Exported:
    """The networks of an ensemble as a bundle has them.

    networks, series, bounds: their descriptions, for bundle.json.
    arrays:  by name, for arrays.npz: what is neither graph nor text.
    weights: state dicts of torch, by the names of the graphs.
    """

    networks: list[JsonObject] = field(default_factory=list)
    series: list[JsonObject] = field(default_factory=list)
    bounds: list[JsonObject | None] = field(default_factory=list)
    arrays: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> list[str]:
        """Names of all graphs."""
        encoders = [encoder["file"] for one in self.series for encoder in one["encoders"]]
        others = [one["file"] for one in (*self.networks, *self.series)]
        return [*encoders, *others, *(one["file"] for one in self.bounds if one is not None)]


def export_networks(ensemble: Ensemble, task: Task, out: Path) -> Exported:
    """Write a graph of every network of an ensemble of runs into a folder."""
    exported = Exported()
    if ensemble.series_models:
        for number, member in enumerate(ensemble.members):
            series = ensemble.series_models[number]
            assert isinstance(series, SeriesModel)
            exported.series.append(_export_series(number, member, series, task, out, exported))
    else:
        alone = len(ensemble.members) == 1
        for number, member in enumerate(ensemble.members):
            name = "model.onnx" if alone else f"model-{number}.onnx"
            model = _torch(member.model)
            flip_index = mirror_columns(task.spec.image_findings).tolist()
            with atomic_path(out / name) as part:
                export_slices(model.model, model.view, flip_index, len(model.mask_findings), part)
            _keep_weights(exported, name, model)
            exported.networks.append({**_described(name, model), **_place(member)})
    for number, run in enumerate(ensemble.bounds):
        if run is None:
            exported.bounds.append(None)
            continue
        name, network = f"bounds-{number}.onnx", _torch(run.network)
        with atomic_path(out / name) as part:
            export_pooled(network.model, network.recipe.encoder, network.view, part)
        exported.arrays.update(
            {f"bounds-{number}/{key}": one for key, one in run.bounds.to_arrays().items()}
        )
        exported.bounds.append(
            {
                "file": name,
                "view": network.view.to_dict(),
                "readers": network.recipe.runtime.readers,
                **run.bounds.to_dict(),
            }
        )
    return exported


def _export_series(
    number: int, member: Member, model: SeriesModel, task: Task, out: Path, exported: Exported
) -> JsonObject:
    """Write the graphs of a series model: one an encoder, one of the network over them."""
    kind, encoders = model.recipe.series.features, []
    for crop, encoder in zip(task.networks, model.encoders, strict=True):
        name = f"model-{number}-{crop}.onnx"
        with atomic_path(out / name) as part:
            export_encoder(encoder.model, encoder.view, kind, part)
        if kind == "last":
            head = last_linear(encoder.model)
            exported.arrays[f"{name}/weight"] = head.weight.detach().numpy()
            exported.arrays[f"{name}/bias"] = head.bias.detach().numpy()
        _keep_weights(exported, name, encoder)
        encoders.append(_described(name, encoder))
    name = f"sequence-{number}.onnx"
    with atomic_path(out / name) as part:
        export_sequence(model.network, len(np.asarray(model.network.get_buffer("mean"))), part)
    for key, tensor in model.network.state_dict().items():
        exported.weights[f"{name.removesuffix('.onnx')}.{key}"] = tensor
    if model.blend is not None:
        exported.arrays.update(
            {f"{name}/{key}": array for key, array in model.blend.to_arrays().items()}
        )
    return {
        "file": name,
        "encoders": encoders,
        "image": list(model.image),
        "study": list(model.study),
        "recipe": model.recipe.model_dump(mode="json"),
        "blended": model.blend is not None,
        **_place(member),
    }


def _described(name: str, model: TrainedModel) -> JsonObject:
    return {
        "file": name,
        "findings": list(model.findings),
        "mask_findings": list(model.mask_findings),
        "view": model.view.to_dict(),
        "recipe": model.recipe.model_dump(mode="json"),
        "negative_rate": model.negative_rate,
        "epoch": model.epoch,
        "weights_digest": model.digest().hex(),
    }


def _place(member: Member) -> JsonObject:
    return {"checkpoint": within_run(member.checkpoint), "run": member.run}


def _keep_weights(exported: Exported, name: str, model: TrainedModel) -> None:
    for key, tensor in model.model.state_dict().items():
        exported.weights[f"{name.removesuffix('.onnx')}.{key}"] = tensor


def _torch(network: object) -> TrainedModel:
    """Return a network as torch's. ValueError where it is one of a bundle."""
    if not isinstance(network, TrainedModel):
        raise ExportError("a bundle is made of runs, not of another bundle")
    return network
