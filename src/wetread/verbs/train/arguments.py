"""verbs/train/arguments.py: the arguments of `train` as one value, for any machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wetread.tasks import Task, find_task
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.slices.data_parallel import with_parts_per_rank
from wetread.verbs.train.request import TrainRequest, check_request


@dataclass(frozen=True)
class TrainArguments:
    """The arguments of `wetread.train`, by their names there."""

    task: str
    sources: tuple[Path, ...]
    out: Path
    labels: tuple[str | Path, ...]
    columns: Mapping[str, str] | None
    patients: str | None
    folds: int | None
    epochs: int | None
    seed: int
    recipe: str | None
    settings: tuple[str, ...]
    weights: Path | None
    pretrained: bool | None
    repair: bool
    as_hu: bool
    clear_patients: bool
    verify: bool

    @property
    def known_task(self) -> Task:
        """The task, as it is whatever the recipe."""
        return find_task(self.task)

    def resolve_recipe(self) -> Recipe:
        """Read the recipe with all settings, for as many processes as train."""
        known = self.known_task
        given = {"epochs": self.epochs, "folds": self.folds, "pretrained": self.pretrained}
        changes = [
            f"{key}={json.dumps(value)}" for key, value in given.items() if value is not None
        ]
        changes = [f"seed={self.seed}", *known.settings, *changes, *self.settings]
        return with_parts_per_rank(read_recipe(self.recipe or known.recipe, changes))

    def check(self) -> TrainRequest:
        """Open every input and refuse what does not fit; see check_request."""
        recipe = self.resolve_recipe()
        return check_request(
            self.known_task.for_recipe(recipe),
            recipe,
            sources=self.sources,
            out=self.out,
            labels=self.labels,
            columns=self.columns,
            patients=self.patients,
            weights=self.weights,
            clear_patients=self.clear_patients,
        )
