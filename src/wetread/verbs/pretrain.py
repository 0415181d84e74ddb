"""verbs/pretrain.py: a recipe's phantoms are learned first; the weights to go on from come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wetread.tasks import Task
from wetread.training.recipe import Recipe
from wetread.verbs.phantom import phantom


def learn_phantoms(
    learn: Callable[..., object],
    task: Task,
    recipe: Recipe,
    settings: Sequence[str],
    folder: Path,
    words: Mapping[str, Any],
) -> Path:
    """Write the phantoms to folder/archive, learn them and their masks, all of which are known, in
    folder/run; the kept model's file.

    learn: verbs/train.py's `train`; words: what it is told beside: recipe, weights, seed, workers,
    report. settings: of the run that follows.
    """
    archive, run = folder / "archive", folder / "run"
    phantom(
        task.name,
        archive,
        studies=recipe.phantoms,
        seed=recipe.seed,
        workers=words["workers"],
        report=words["report"],
    )
    first = (
        *("phantoms=0", "folds=0", "pretrained=false", "smaller_first=[]", "top_checkpoints=1"),
        *(f"epochs={recipe.phantom_epochs}", f"learning_rate={recipe.phantom_learning_rate}"),
        *("negatives_per_positive=1", *(["decoder=unet"] if task.drawn else [])),
    )
    learn(
        task.name,
        [archive],
        run,
        labels=[archive / task.phantom_labels],
        patients=archive / task.phantom_patients if task.phantom_patients else None,
        settings=[*settings, *first],
        **words,
    )
    return run / "model-0" / "best.pt"
