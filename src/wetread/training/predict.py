"""training/predict.py: a model's probabilities for rows of a store."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from wetread.models.encoders import last_linear
from wetread.training.batches import SliceSource, read_ahead, read_seen
from wetread.training.device import choose_runtime, set_threads, threads_and_chance
from wetread.training.losses import undo_balance
from wetread.training.recipe import Recipe
from wetread.view.device import to_view
from wetread.view.view import View

BATCH = 64  # images; gradients need no memory here


def predict_probabilities(
    model: nn.Module,
    source: SliceSource,
    rows: Sequence[int] | npt.NDArray[np.int64],
    view: View,
    recipe: Recipe,
    negative_rate: float = 1.0,
    mirror: Sequence[int] | None = None,
) -> npt.NDArray[np.float64]:
    """Rows (N,) to probabilities (N, F) of the whole set, balanced epochs undone.

    With mirror, (F,) each finding's twin when left and right change places, the logits are the
    mean over the image and its mirror image.
    """
    rows = np.asarray(rows, np.int64)
    runtime = choose_runtime(recipe)
    parts = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
    with threads_and_chance(recipe, runtime.device):
        model = runtime.place(model).eval()

        def say(number: int) -> torch.Tensor:
            hu = read_seen(source, parts[number], view.neighbours)
            with torch.inference_mode(), runtime.autocast():
                image = to_view(torch.from_numpy(hu).to(runtime.device), view)  # (B, C, size, size)
                given: torch.Tensor = model(image).double()
                if mirror is not None:
                    given = (given + model(image.flip(-1)).double()[:, list(mirror)]) / 2
            return given.cpu()

        ready = partial(set_threads, recipe.threads)
        logits = list(read_ahead(say, range(len(parts)), recipe.readers, ready))
    if not logits:
        return np.empty((0, last_linear(model).out_features))
    probabilities: npt.NDArray[np.float64] = torch.cat(logits).sigmoid().numpy()
    return undo_balance(probabilities, negative_rate)
