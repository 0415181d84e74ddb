"""tests/prediction/conftest.py: runs as training leaves them, without any training; stores."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from wetread.models.encoders import build
from wetread.store.part_files import PartFiles
from wetread.store.store import REJECT_SCHEMA, SLICE_SCHEMA, Address, Store
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run

FINDINGS = ["left", "right", "any"]
WriteRun = Callable[..., Path]


@pytest.fixture
def write_run(tmp_path: Path) -> WriteRun:
    """write_run(name, models=1, size=16, **about) -> a run's folder, its models random."""

    def write(name: str, models: int = 1, size: int = 16, **about: Any) -> Path:
        run = Run(tmp_path / name)
        prior = dict.fromkeys(FINDINGS, 0.1)
        told = {"task": "t", "findings": FINDINGS, "prior": prior, "counts": {}}
        told["patients_from"] = "the headers' PatientID"
        run.write_json("about.json", told | about)
        recipe = read_recipe("compact", [f"size={size}", "runtime.threads=1", "runtime.device=cpu"])
        for number in range(models):
            with torch.random.fork_rng():
                torch.manual_seed(sum(map(ord, name)) + number)
                model = build(recipe.encoder, recipe.view.channels, len(FINDINGS))
            Run(run.folder / f"model-{number}").save(
                "best.pt",
                {
                    "model": model.state_dict(),
                    "findings": FINDINGS,
                    "view": recipe.view.to_dict(),
                    "recipe": json.loads(recipe.model_dump_json()),
                    "negative_rate": 0.5,
                    "epoch": number,
                    "value": None,
                },
            )
        return run.folder

    return write


class NoisyStore(Store):
    """Slices of noise, 16 pixels a side, without files."""

    def read_compact_hu(self, rows: object) -> np.ndarray:
        places = np.asarray(rows)
        rng = np.random.default_rng(5)
        return rng.normal(35, 30, (len(self), 16, 16)).astype(np.float32)[places]


MakeStore = Callable[..., Store]


@pytest.fixture
def store() -> MakeStore:
    """store((study, slices), ...) -> studies with so many slices each, lowest first."""

    def make(*series: tuple[str, int]) -> Store:
        rows = [
            {
                "SOPInstanceUID": f"{study}.{z}",
                "SeriesInstanceUID": f"{study}-series",
                "StudyInstanceUID": study,
                "z": z,
                "n_slices": number,
                "position_mm": 5.0 * z,
            }
            for study, number in series
            for z in range(number)
        ]
        few, many, real = np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0)
        address = Address(few, many, many, few, [], real, real, is_hu=False)
        slices = pl.DataFrame(rows, schema=SLICE_SCHEMA)
        rejects = pl.DataFrame(schema=REJECT_SCHEMA)
        return NoisyStore(Path(), slices, rejects, 16, PartFiles(()), address)

    return make
