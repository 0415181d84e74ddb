"""tests/verbs/bundle/conftest.py: runs of random networks as training leaves them, and a store."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from wetread.evaluation.calibrator import Calibrator
from wetread.evaluation.decision import MaskThresholds
from wetread.evaluation.volume_decision import VolumeThresholds
from wetread.labels.finding import finding_names
from wetread.models.boosted_trees import BoostedTrees
from wetread.models.encoders import last_linear
from wetread.models.features import feature_extractor
from wetread.models.unet import Unet
from wetread.store.part_files import PartFiles
from wetread.store.store import REJECT_SCHEMA, SLICE_SCHEMA, Address, Store
from wetread.tasks import find_task
from wetread.training.decide import Decision
from wetread.training.drawings import Drawings
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run
from wetread.training.series.heads import WeightedHeads, write_heads
from wetread.training.series.reader import describe_series_model
from wetread.training.series.sequence_fit import NetworkShape, new_network
from wetread.training.series.series import PLACE
from wetread.training.series.spec import CropEncoder, SeriesSpec
from wetread.training.trained_model import build_network

SIZE = 32
COMMON = (f"size={SIZE}", "runtime.device=cpu", "runtime.threads=1", "runtime.precision=float32")


@dataclass(frozen=True, eq=False)
class MadeRun:
    """A run of random networks, and the spec that reads with it."""

    folder: Path
    spec: Any
    crops: int


class NoisyStore(Store):
    """Slices of noise, SIZE pixels a side, without files."""

    def read_compact_hu(self, rows: object) -> np.ndarray:
        rng = np.random.default_rng(5)
        shape = (len(self), SIZE, SIZE)
        return rng.normal(60, 80, shape).astype(np.float32)[np.asarray(rows)]


@pytest.fixture(scope="session")
def noise() -> Store:
    """Two studies of seven and five slices."""
    rows = [
        {
            "SOPInstanceUID": f"{study}.{z}", "SeriesInstanceUID": f"{study}-series",
            "StudyInstanceUID": study, "patient": study, "z": z, "n_slices": count,
            "position_mm": 2.5 * z, "box": [0, 0, SIZE, SIZE], "source_rows": SIZE,
            "source_columns": SIZE,
        }
        for study, count in (("1.2", 7), ("1.3", 5))
        for z in range(count)
    ]  # fmt: skip
    few, many, real = np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0)
    address = Address(few, many, many, few, [], real, real, is_hu=False)
    slices = pl.DataFrame(rows, schema=SLICE_SCHEMA)
    rejects = pl.DataFrame(schema=REJECT_SCHEMA)
    return NoisyStore(Path(), slices, rejects, SIZE, PartFiles(()), address)


def write_about(run: Run, task: Any, recipe: Recipe) -> None:
    names = finding_names(task.findings)
    part = {"images": 12, "studies": 2, "patients": 2, "phantom_studies": 2}
    about = {"task": task.name, "findings": list(names), "prior": dict.fromkeys(names, 0.1)}
    about |= {"counts": {"rejects": 3}, "patients_from": "the headers' PatientID", "folds": 0}
    about |= dict.fromkeys(("learned_from", "chosen_on", "scored_on"), part)
    run.write_json("about.json", about)
    run.write_json("recipe.json", recipe.model_dump(mode="json"))


def save_network(folder: Path, recipe: Recipe, findings: Any, drawn: Any, seed: int) -> Any:
    """Write a best.pt of random weights, its logits of some size, its norms of some spread."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = build_network(recipe, len(findings), len(drawn))
        torch.nn.init.normal_(last_linear(model).weight, std=0.5)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)  # type: ignore[arg-type]
                torch.nn.init.uniform_(module.running_var, 0.5, 1.5)  # type: ignore[arg-type]
        if isinstance(model, Unet):
            torch.nn.init.normal_(model.mask_head.weight, std=1.0)
    content = {
        "model": model.state_dict(), "findings": list(findings), "mask_findings": list(drawn),
        "view": recipe.view.to_dict(), "recipe": json.loads(recipe.model_dump_json()),
        "negative_rate": 0.5, "epoch": 1, "value": None,
    }  # fmt: skip
    Run(folder).save("best.pt", content)
    return model.eval()


@pytest.fixture(scope="session")
def slices_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., MadeRun]:
    """slices_run(task, recipe, *settings, members=1) -> a run whose networks read slices."""

    def make(name: str, recipe_name: str, *settings: str, members: int = 1) -> MadeRun:
        task, recipe = find_task(name), read_recipe(recipe_name, [*COMMON, *settings])
        task = task.for_recipe(recipe)
        run = Run(tmp_path_factory.mktemp("made") / "run")
        write_about(run, task, recipe)
        drawn = finding_names(task.spec.drawn) if recipe.decoder != "none" else ()
        for number in range(members):
            folder = run.folder / f"model-{number}"
            save_network(folder, recipe, finding_names(task.spec.image_findings), drawn, number)
        if drawn:
            decision = Decision(MaskThresholds(0.6, 0.01, 0.5), Calibrator(0.9, 0.2, -0.1))
            run.write_json("decisions.json", {one: decision.to_dict() for one in drawn})
        return MadeRun(run.folder, task.spec, 1)

    return make


@pytest.fixture(scope="session")
def series_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., MadeRun]:
    """series_run(task, recipe, *settings, parts=2) -> a run whose networks read whole series."""

    def make(name: str, recipe_name: str, *settings: str, parts: int = 2) -> MadeRun:
        task, recipe = find_task(name), read_recipe(recipe_name, [*COMMON, *settings])
        task = task.for_recipe(recipe)
        spec = task.spec
        assert isinstance(spec, SeriesSpec)
        run = Run(tmp_path_factory.mktemp("made") / "run")
        write_about(run, task, recipe)
        for number in range(parts):
            folder = run.folder / "model-0" / f"part-{number}"
            features, overall = 0, 0
            for place, encoder in enumerate(spec.encoders):
                width, whole = save_encoder(folder, recipe, encoder, 10 * number + place)
                features, overall = features + width, overall + whole
            inputs = features * (3 if recipe.series.differences else 1) + PLACE + overall
            shape = NetworkShape(
                inputs, len(spec.image_findings), len(spec.study_findings), overall
            )
            network = new_network(recipe, shape)
            with torch.random.fork_rng():
                torch.manual_seed(number)
                torch.nn.init.normal_(network.mean, std=0.5)
                torch.nn.init.uniform_(network.deviation, 0.5, 2.0)
            Run(folder).save("sequence.pt", {"model": network.state_dict()})
            Run(folder).write_json("series.json", describe_series_model(spec, network, recipe))
            if recipe.series.heads != ("network",):
                write_heads(folder, made_heads(recipe.series.heads, len(spec.image_findings)))
        drawn = [one.name for encoder in spec.encoders for one in encoder.drawn]
        if recipe.series.features == "drawn":
            low_high = {one: VolumeThresholds(0.4, 0.6) for one in drawn}
            run.write_json("drawings.json", Drawings(low_high).to_dict())
        return MadeRun(run.folder, spec, len(spec.encoders))

    return make


def save_encoder(folder: Path, recipe: Recipe, encoder: CropEncoder, seed: int) -> tuple[int, int]:
    """Write an encoder; how many features it gives of a slice, and numbers of a whole series."""
    drawn = finding_names(encoder.drawn) if recipe.decoder != "none" else ()
    path = folder / encoder.name
    model = save_network(path, recipe, finding_names(encoder.findings), drawn, seed)
    extract = feature_extractor(model, recipe.series.features)
    with torch.inference_mode():
        width = extract(torch.zeros(1, recipe.view.channels, SIZE, SIZE)).shape[1]
    masks = len(drawn) if recipe.series.features == "drawn" else 0
    return width, masks + masks * (masks - 1) // 2


def made_heads(heads: tuple[str, ...], findings: int) -> WeightedHeads:
    """Heads that weigh alike, their trees of one split."""
    nodes = np.array([[0, 0.3, 0, 1, 2, 0, 0], [0, 0, 0, 0, 0, 1, -0.7], [0, 0, 0, 0, 0, 1, 0.9]])
    tree = BoostedTrees(-0.2, np.array([0, 3]), nodes.astype(float))
    shares = np.full((findings, len(heads)), 1 / len(heads))
    return WeightedHeads(heads, shares, 0.6, (tree,) * findings)
