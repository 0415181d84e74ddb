"""training/slices/members.py: the networks of one split, of different seeds.

model-K/            the first network of split K
model-K/member-J/   the others, J from 1
refit/              likewise those of all patients (training/slices/refit.py)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from wetread.archive.types import Progress
from wetread.training.about import REFIT
from wetread.training.recipe import Recipe
from wetread.training.run import BEST
from wetread.training.trained_model import TrainedModel, read_trained_model


def member_recipes(recipe: Recipe) -> Iterator[tuple[str, Recipe]]:
    """Yield of each network of a split its folder within the split's, and its settings: they differ
    by the seed alone."""
    yield ".", recipe
    for number in range(1, recipe.members):
        (seed,) = np.random.SeedSequence([recipe.seed, number]).generate_state(1)
        yield f"member-{number}", recipe.model_copy(update={"seed": int(seed)})


def member_progress(progress: Progress, member: int, members: int) -> Progress:
    """Return what reports the steps of one of several trainings, as if all took as many."""
    return lambda done, total: progress(member * total + done, members * total)


def fold_checkpoints(run: Path, split: int | None = None) -> list[Path]:
    """Find the kept networks of a split, or of all, in a run's folder, in their order."""
    return _checkpoints(run, "model-*" if split is None else f"model-{split}")


def refit_checkpoints(run: Path) -> list[Path]:
    """Find the networks of all patients in a run's folder, in their order; () where there are
    none."""
    return _checkpoints(run, REFIT)


def _checkpoints(run: Path, folder: str) -> list[Path]:
    found = (run.glob(f"{folder}/{within}{BEST}") for within in ("", "member-*/"))
    return sorted(file for files in found for file in files)


def read_members(run: Path, split: int) -> list[TrainedModel]:
    """Read the kept networks of a split."""
    return [read_trained_model(file) for file in fold_checkpoints(run, split)]
