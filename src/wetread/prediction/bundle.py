"""prediction/bundle.py: a bundle, a folder of networks that is read without torch, as an Ensemble.

bundle.json      all but arrays                     arrays.npz           references, trees, heads
model.onnx       or model-K.onnx, a network each    digests.json         SHA-256 of every file
sequence-K.onnx  the network over whole series      weights.safetensors  the networks' weights
bounds-K.onnx    by which run K tells odd studies   task.toml            of a task given as a file
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from wetread.archive.errors import WetreadError
from wetread.archive.files.damaged import expect_form
from wetread.archive.files.digests import check_digests
from wetread.archive.files.json_file import read_json
from wetread.archive.types import JsonObject
from wetread.prediction.in_distribution import RunBounds
from wetread.prediction.members import Ensemble, Member
from wetread.prediction.onnx_networks import OnnxGraph, OnnxNetwork, OnnxPooled, OnnxSeries
from wetread.prediction.operating import point_of
from wetread.prediction.run_weights import run_weights_of
from wetread.prediction.scaling import scalings_of
from wetread.training.bounds import bounds_of
from wetread.training.decide import Decision
from wetread.training.drawings import Drawings
from wetread.training.measures import errors_from_dict
from wetread.training.recipe_file import check_recipe
from wetread.training.series.heads import heads_of
from wetread.view.view import View

FORM = 1  # of bundle.json; a later one is refused by name
FILE, ARRAYS, WEIGHTS = "bundle.json", "arrays.npz", "weights.safetensors"
WANTED = "a file of a bundle, which wetread bundle writes; make the bundle again"
Arrays = Mapping[str, Any]  # NumPy arrays by name


class BundleError(WetreadError, ValueError):
    """A folder that is no bundle, or one of a later form."""


def read_bundle(folder: Path) -> Ensemble:
    """Read a bundle; its files are first checked by their digests, graphs are opened when they are
    first asked. BundleError where the folder is none, DamagedFileError where a file is another."""
    if not (folder / FILE).is_file():
        raise BundleError(
            f"{folder} is no bundle (no {FILE}); give the folder that wetread bundle wrote"
        )
    digest = check_digests(folder, WANTED)
    about = read_json(folder / FILE, WANTED, {"form": int, "networks": list, "series": list})
    if about["form"] > FORM:
        raise BundleError(
            f"{folder / FILE}: form {about['form']}, this wetread reads up to {FORM}; "
            "install a later wetread"
        )
    with (
        expect_form(folder / ARRAYS, WANTED, EOFError, BadZipFile),
        np.load(folder / ARRAYS, allow_pickle=False) as file,
    ):
        arrays = {name: file[name] for name in file.files}
    with expect_form(folder / FILE, WANTED):
        return _ensemble(folder, about, arrays, digest)


def _ensemble(folder: Path, about: JsonObject, arrays: Arrays, digest: str) -> Ensemble:
    series = tuple(_series(folder, one, arrays) for one in about["series"])
    networks = [_network(folder, one, arrays) for one in about["networks"]]
    models = [one.encoders[0] for one in series] if series else networks
    described = about["series"] or about["networks"]
    weights, point = about["run_weights"], about["operating_point"]
    scaled = scalings_of(about["scalings"]["runs"], about["scalings"]["prevalence"])
    runs = run_weights_of(weights) if weights is not None else None
    if runs is not None:
        scaled = replace(scaled, weights=runs.weights)
    return Ensemble(
        task=about["task"]["name"],
        folder=folder,
        findings=tuple(about["findings"]),
        size=int(about["size"]),
        prior={name: float(share) for name, share in about["prior"].items()},
        members=tuple(
            Member(model, Path(one["checkpoint"]), int(one["run"]))
            for model, one in zip(models, described, strict=True)
        ),
        series_models=series,
        drawn=tuple(about["drawn"]),
        decisions={
            name: tuple(map(Decision.from_dict, of_runs))
            for name, of_runs in about["decisions"].items()
        },
        drawings=tuple(map(Drawings.from_dict, about["drawings"])),
        measure_errors=errors_from_dict(about["measure_errors"]),
        cautions=tuple(about["cautions"]),
        origins=tuple(about["origins"]),
        bounds=tuple(
            _run_bounds(folder, number, one, arrays) for number, one in enumerate(about["bounds"])
        ),
        scalings=scaled,
        point=None if point is None else point_of(point),
        run_weights=runs,
        bundle=digest,
    )


def _network(folder: Path, about: JsonObject, arrays: Arrays) -> OnnxNetwork:
    name = about["file"]
    return OnnxNetwork(
        graph=OnnxGraph(folder / name),
        findings=tuple(about["findings"]),
        mask_findings=tuple(about["mask_findings"]),
        view=View.from_dict(about["view"]),
        recipe=check_recipe(about["recipe"], f"{folder / FILE} (recipe of {name})"),
        negative_rate=float(about["negative_rate"]),
        epoch=int(about["epoch"]),
        weights_digest=str(about["weights_digest"]),
        weight=arrays.get(f"{name}/weight"),
        bias=arrays.get(f"{name}/bias"),
    )


def _series(folder: Path, about: JsonObject, arrays: Arrays) -> OnnxSeries:
    name = about["file"]
    return OnnxSeries(
        encoders=tuple(_network(folder, one, arrays) for one in about["encoders"]),
        graph=OnnxGraph(folder / name),
        recipe=check_recipe(about["recipe"], f"{folder / FILE} (recipe of {name})"),
        blend=heads_of(arrays_of(arrays, name)) if about["blended"] else None,
    )


def _run_bounds(
    folder: Path, number: int, about: JsonObject | None, arrays: Arrays
) -> RunBounds | None:
    if about is None:
        return None
    bounds = bounds_of(about, arrays_of(arrays, f"bounds-{number}"))
    graph, view = OnnxGraph(folder / about["file"]), View.from_dict(about["view"])
    return RunBounds(bounds, OnnxPooled(graph, view, int(about["readers"])))


def arrays_of(arrays: Arrays, prefix: str) -> dict[str, Any]:
    """Select the arrays whose names begin with a prefix and a slash, by the rest of their names."""
    start = f"{prefix}/"
    return {name.removeprefix(start): arrays[name] for name in arrays if name.startswith(start)}
