"""verbs/bundle/bundle.py: trained runs in; one folder out, that is read without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from wetread.archive.files.atomic import write_whole
from wetread.archive.files.digests import FILE as DIGESTS
from wetread.archive.files.digests import write_digests
from wetread.archive.files.lock import exclusive_output
from wetread.archive.files.paths import as_paths
from wetread.archive.files.written import WRITTEN_LIST, refuse_foreign_files, rewriting
from wetread.archive.types import JsonObject, StrPath, StrPaths
from wetread.inputs.progress import Report, silent
from wetread.prediction.bundle import ARRAYS, FILE, WEIGHTS
from wetread.tasks import Task, keep_task
from wetread.verbs.bundle.card import FILE as CARD
from wetread.verbs.bundle.card import card
from wetread.verbs.bundle.croissant import FILE as CROISSANT
from wetread.verbs.bundle.croissant import croissant
from wetread.verbs.bundle.describe import describe_bundle
from wetread.verbs.bundle.monai_layout import write_monai_layout
from wetread.verbs.bundle.networks import export_networks
from wetread.verbs.predict.open_runs import open_runs
from wetread.verbs.predict.read_archive import task_of


@dataclass(frozen=True)
class Bundle:
    """Where a bundle lies and what it holds."""

    out: Path
    task: str
    graphs: tuple[str, ...]
    files: int
    bytes: int

    def to_dict(self) -> dict[str, object]:
        """Return the result as plain values, for JSON."""
        return {
            "out": str(self.out),
            "task": self.task,
            "graphs": list(self.graphs),
            "files": self.files,
            "bytes": self.bytes,
        }


@exclusive_output()
def bundle(
    runs: StrPaths,
    out: StrPath,
    *,
    at: str | None = None,
    blend: bool = False,
    weights_license: str | None = None,
    report: Report = silent,
) -> Bundle:
    """Write the networks of one or more runs of one task as a folder that is read without torch.

    runs: folders that `train` wrote; their probabilities are averaged, as `predict` does.
    out: the folder: ONNX graphs, weights.safetensors, bundle.json, card.md, croissant.json, MONAI's
        configs/ and models/, and digests of all of them.
    at: as for `predict`: the operating point that the bundle flags studies by.
    blend: as for `predict`: how the runs weigh.
    weights_license: of the weights, in a word as CC-BY-4.0; None: the bundle says that none is
        stated.
    report: called with (stage, done, total).

    Raises RunError for folders that are no runs of one task, ValueError where `out` holds files of
    others or a package of the extra `onnx` is missing.
    """
    folders, out = as_paths(runs), Path(out)
    ensemble = open_runs(folders, at=at, blend=blend)
    task = task_of(ensemble)
    refuse_foreign_files(out, frozenset())
    with rewriting(out):
        exported = export_networks(ensemble, task, out)
        _write_weights(out, exported.weights)
        _write_arrays(out, exported.arrays)
        keep_task(out, task)
        about = describe_bundle(folders, ensemble, task, exported, weights_license)
        _write_json(out / FILE, about)
        _write_json(out / CROISSANT, croissant(about))
        write_whole(out / CARD, card(about).encode())
        write_monai_layout(out, ensemble, task)
        write_digests(out, _files(out))
    return _result(out, task, exported.files)


def _result(out: Path, task: Task, graphs: list[str]) -> Bundle:
    names = [*_files(out), DIGESTS]
    size = sum((out / name).stat().st_size for name in names)
    return Bundle(out, task.name, tuple(graphs), len(names), size)


def _files(out: Path) -> list[str]:
    """List the files of a bundle but its digests, by their paths below it."""
    found = (path.relative_to(out).as_posix() for path in sorted(out.rglob("*")) if path.is_file())
    return [name for name in found if name not in (WRITTEN_LIST, DIGESTS)]


def _write_weights(out: Path, weights: Mapping[str, Any]) -> None:
    """Write state dicts as safetensors. ValueError where the package is not installed."""
    try:
        from safetensors.numpy import save  # of the extra `onnx`
    except ImportError as error:
        raise ValueError(
            "a bundle is written with the package safetensors: pip install 'wetread[onnx]', from a "
            "checkout pip install -e '.[onnx]'"
        ) from error
    arrays = {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in weights.items()}
    write_whole(out / WEIGHTS, save(arrays))


def _write_arrays(out: Path, arrays: Mapping[str, Any]) -> None:
    packed = BytesIO()
    np.savez(packed, **arrays)
    write_whole(out / ARRAYS, packed.getvalue())


def _write_json(path: Path, values: JsonObject) -> None:
    write_whole(path, f"{json.dumps(values, indent=1, allow_nan=False)}\n".encode())
