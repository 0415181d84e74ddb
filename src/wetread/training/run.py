"""training/run.py: the folder of a run. The folder is the truth; nothing in it is ever half there.

recipe.json        every setting, resolved        best.pt              the model that is kept
folds.json         who is where, and the proof    out_of_fold.parquet  predictions never fitted
metrics.jsonl      one line an epoch              scores.json          what it is worth
last.pt            where to go on
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import torch

from wetread.archive.files.atomic import write_whole
from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.files.json_file import read_json
from wetread.archive.files.table_file import read_parquet, write_table
from wetread.archive.types import StrPath
from wetread.evaluation.score import Scores
from wetread.models.checkpoint_file import load_checkpoint, require_finite
from wetread.training import predictions
from wetread.training.about import read_run_recipe
from wetread.training.recipe import Recipe

CHECKPOINT = "a checkpoint, which wetread train writes; remove it and train again"
LAST, BEST, METRICS = "last.pt", "best.pt", "metrics.jsonl"
SCORES = "scores.json"
Content = dict[str, Any]  # of a file of torch.save: tensors and plain values by name
_OF_SCORES: dict[str, type | tuple[type, ...]] = {"scores": list}


@dataclass(frozen=True)
class Run:
    """A run's folder; every write goes beside and is then renamed."""

    folder: Path

    @property
    def recipe(self) -> Recipe:
        """Every setting of the run, resolved. Raises DamagedFileError."""
        return read_run_recipe(self.folder)

    @property
    def scores(self) -> Scores:
        """The scores of its last evaluation. Raises DamagedFileError, also where there is none."""
        path = self.folder / SCORES
        values = read_json(path, "the scores of a run, which wetread evaluate writes", _OF_SCORES)
        return Scores.from_dict(values)

    @property
    def predictions(self) -> pl.DataFrame:
        """Probabilities of slices and studies never fitted: training/predictions.py's SCHEMA."""
        return read_parquet(self.folder / predictions.FILE, expected=predictions.WANTED)

    def _repr_html_(self) -> str:
        """Return the scores as HTML, for a notebook."""
        return self.scores._repr_html_()

    def write_json(self, name: str, value: object) -> None:
        """Write a value as JSON; NaN is refused (ValueError), absent is null."""
        text = json.dumps(value, indent=1, allow_nan=False)
        write_whole(self.folder / name, f"{text}\n".encode())

    def write_lines(self, name: str, values: Sequence[Mapping[str, object]]) -> None:
        """Write values as one JSON object a line."""
        text = "".join(json.dumps(dict(v), allow_nan=False) + "\n" for v in values)
        write_whole(self.folder / name, text.encode())

    def write_table(self, name: str, table: pl.DataFrame) -> None:
        """Write a table as Parquet."""
        write_table(table, self.folder / name)

    def save(self, name: str, content: Mapping[str, object]) -> None:
        """Write tensors and plain values, as torch.load reads them with weights_only=True; equal
        values give equal bytes, in a run that was stopped and went on as in one that was not."""
        packed = BytesIO()  # torch tells of a disk that is full in words of its own
        torch.save(_rebuilt(dict(content)), packed)
        write_whole(self.folder / name, packed.getbuffer())

    def load(self, name: str) -> Content | None:
        """Read what save wrote, tensors on the CPU; None where there is no such file.
        DamagedFileError where it is cut or of another form."""
        path = self.folder / name
        if not path.exists():
            return None
        content = load_checkpoint(path, CHECKPOINT)
        if not isinstance(content, dict):
            raise DamagedFileError(path, CHECKPOINT, f"it holds a {type(content).__name__}")
        require_finite(path, CHECKPOINT, content.get("model"))
        return content

    def read(self, name: str) -> Content:
        """Read what save wrote; ValueError where there is no such file."""
        content = self.load(name)
        if content is None:
            raise ValueError(f"{self.folder / name}: no such checkpoint; train again")
        return content

    def remove(self, name: str) -> None:
        """Remove a file, if there is one."""
        (self.folder / name).unlink(missing_ok=True)


def _rebuilt(value: object) -> object:
    """Copy values into new containers, equal texts one object: pickle writes what it has met
    before as a reference, and what it has met differs after a file was read."""
    if type(value) is dict:
        return {_rebuilt(key): _rebuilt(one) for key, one in value.items()}
    if type(value) is list:
        return [_rebuilt(one) for one in value]
    if type(value) is tuple:
        return tuple(_rebuilt(one) for one in value)
    return sys.intern(value) if type(value) is str else value


def read_run(folder: StrPath) -> Run:
    """Open the folder of a run that `train` wrote; its recipe, scores and predictions are read
    when they are asked for. ValueError where its training has not ended, or it is no run."""
    run = Run(Path(folder))
    if not (run.folder / predictions.FILE).is_file():
        raise ValueError(f"{folder}: no {predictions.FILE} in it; no run, or one to train on")
    return run
