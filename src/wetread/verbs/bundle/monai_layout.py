"""verbs/bundle/monai_layout.py: the layout of a MONAI bundle in the same folder: configs/ and
models/model.ts, which maps HU to logits of slices."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import torch
from monai.data import save_net_with_metadata
from torch import Tensor, nn

from wetread.archive.files.atomic import atomic_path, write_whole
from wetread.archive.types import JsonObject
from wetread.labels.finding import Finding
from wetread.models.export_onnx import TRACED, SliceGraph
from wetread.prediction.members import Ensemble
from wetread.tasks import Task
from wetread.training.data import mirror_columns
from wetread.training.series.spec import SeriesSpec
from wetread.training.trained_model import TrainedModel

METADATA, INFERENCE, MODEL = "configs/metadata.json", "configs/inference.json", "models/model.ts"
# MONAI's `run` with input=HU.npy and output=LOGITS.npy; bundle_root: the bundle's folder.
CONFIG: JsonObject = {
    "imports": ["$import numpy", "$import torch"],
    "bundle_root": ".",
    "input": "$@bundle_root + '/hu.npy'",
    "output": "$@bundle_root + '/logits.npy'",
    "device": "$torch.device('cpu')",
    "network_def": f"$torch.jit.load(@bundle_root + '/{MODEL}', map_location=@device).eval()",
    "image": "$torch.from_numpy(numpy.load(@input)).float().to(@device)",
    "initialize": [],
    "run": ["$numpy.save(@output, @network_def(@image).detach().cpu().numpy())"],
    "finalize": [],
}


class MeanLogits(nn.Module):
    """Networks of slices of one kind of input, each over image and mirror image: mean logits."""

    def __init__(self, graphs: Sequence[SliceGraph]) -> None:
        super().__init__()
        self.graphs = nn.ModuleList(graphs)

    def forward(self, hu: Tensor) -> Tensor:
        """Map HU (B, S, size, size) to logits (B, F)."""
        sides = [side for graph in self.graphs for side in graph(hu)[:2]]
        return torch.stack(sides).mean(0)


def write_monai_layout(out: Path, ensemble: Ensemble, task: Task) -> None:
    """Write MONAI's configs and the networks of slices as TorchScript; of series their encoders of
    the first crop. Networks of other inputs than the first one's are left out."""
    networks, findings = _networks(ensemble), _findings(task)
    view = networks[0].view
    kept = [one for one in networks if one.view.slices == view.slices]
    flip_index = mirror_columns(findings).tolist()
    mean = MeanLogits([SliceGraph(one.model, one.view, flip_index) for one in kept]).eval()
    hu = torch.zeros(TRACED, view.slices, view.size, view.size)
    metadata = _metadata(task, ensemble, kept[0], findings, len(kept))
    with (
        torch.inference_mode(),
        warnings.catch_warnings(),
        atomic_path(out / MODEL) as part,
    ):
        # TorchScript is old, torch warns; and shapes are taken as they are, but for the batch's.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(mean, hu, check_trace=False)  # type: ignore[no-untyped-call]
        save_net_with_metadata(traced, str(part), meta_values=metadata, append_timestamp=False)
        written = part.with_name(f"{part.name}.ts")  # MONAI appends what it misses
        if written.exists():
            written.replace(part)
    for name, values in ((METADATA, metadata), (INFERENCE, CONFIG)):
        write_whole(out / name, f"{json.dumps(values, indent=1)}\n".encode())


def _networks(ensemble: Ensemble) -> list[TrainedModel]:
    models = [member.model for member in ensemble.members]
    return [one for one in models if isinstance(one, TrainedModel)]


def _findings(task: Task) -> tuple[Finding, ...]:
    """Return the findings of the logits of the task's networks of slices."""
    spec = task.spec
    return spec.encoders[0].findings if isinstance(spec, SeriesSpec) else spec.image_findings


def _metadata(
    task: Task,
    ensemble: Ensemble,
    network: TrainedModel,
    findings: Sequence[Finding],
    count: int,
) -> JsonObject:
    view = network.view
    what = "encoders of the first crop" if ensemble.series_models else "networks of slices"
    places = range(-view.neighbors, view.neighbors + 1)
    return {
        "version": "1.0.0",
        "changelog": {"1.0.0": "made by wetread bundle"},
        "monai_version": version("monai"),
        "pytorch_version": version("torch"),
        "numpy_version": version("numpy"),
        "required_packages_version": {},
        "task": task.title,
        "description": (
            f"Mean logits of {count} {what}, each over image and mirror image; windows are inside. "
            "Crop, calibration, masks and whole series are what wetread predict reads of it."
        ),
        "authors": "see card.md",
        "copyright": "see bundle.json, license",
        "intended_use": "research use only, not for diagnosis",
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "hounsfield" if "CT" in task.modalities else "magnitude",
                    "modality": "/".join(task.modalities),
                    "num_channels": view.slices,
                    "spatial_shape": [view.size, view.size],
                    "dtype": "float32",
                    "value_range": [],
                    "is_patch_data": False,
                    "channel_def": {
                        str(number): f"values of slice {place:+d}"
                        for number, place in enumerate(places)
                    },
                }
            },
            "outputs": {
                "pred": {
                    "type": "logits",
                    "format": "classes",
                    "num_channels": len(findings),
                    "spatial_shape": [],
                    "dtype": "float32",
                    "value_range": [],
                    "is_patch_data": False,
                    "channel_def": {str(i): one.name for i, one in enumerate(findings)},
                }
            },
        },
    }
