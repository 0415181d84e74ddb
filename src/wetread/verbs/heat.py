"""verbs/heat.py: a run and one of its images in, what speaks for the headline finding out."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
import torch

from wetread.models.heat import heat_map
from wetread.store.store import Store
from wetread.training.batches import read_seen
from wetread.training.predictions import FILE
from wetread.training.run import Trained, read_trained
from wetread.view.device import to_view


class Heats:
    """The heat maps of a run's images, each by the model that never saw the image."""

    def __init__(self, run: Path, store: Store, column: int) -> None:
        self._run, self._store, self._column = run, store, column
        said = pl.read_parquet(run / FILE, columns=["level", "id", "model"])
        images = said.filter(pl.col("level") == "image").select("id", "model").unique()
        self._model_of = dict(images.iter_rows())
        self._trained = lru_cache(maxsize=1)(self._read)

    def of(self, row: int) -> np.ndarray | None:
        """(h, w) float32 from 0 to 1 of a row of the store; None where the network draws masks,
        which say more, or where nothing speaks for the finding."""
        image = self._store.slices["SOPInstanceUID"][row]
        trained = self._trained(self._model_of[image])
        if trained.mask_findings:
            return None
        hu = read_seen(self._store, np.array([row]), trained.view.neighbours)
        view = to_view(torch.from_numpy(hu), trained.view)
        heat = heat_map(trained.model, view, self._column)[0].numpy()
        return heat / heat.max() if heat.max() > 0 else None

    def _read(self, number: int) -> Trained:
        return read_trained(self._run / f"model-{number}")
