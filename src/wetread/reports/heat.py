"""reports/heat.py: a run and one of its images in, what speaks for the headline finding out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
import torch

from wetread.archive.files.table_file import read_parquet
from wetread.models.heat import heat_map
from wetread.store.store import Store
from wetread.training.predictions import FILE
from wetread.training.run import BEST, TrainedModel, read_trained_model
from wetread.training.series.reader import read_series_model
from wetread.training.slices.batches import neighbor_rows, read_with_neighbors
from wetread.view.device import to_view

HeatMaps = Callable[[int], np.ndarray | None]


def run_heat_maps(run: Path, store: Store, column: int) -> HeatMaps:
    """row of the store -> (h, w) float32 from 0 to 1, by the model that never saw the image; None
    where the network draws masks, which say more, or where nothing speaks for the finding."""
    said = read_parquet(run / FILE, columns=["level", "id", "model"])
    images = said.filter(pl.col("level") == "image").select("id", "model").unique()
    model_of = dict(images.iter_rows())

    @lru_cache(maxsize=1)
    def trained(number: int) -> TrainedModel:
        folder = run / f"model-{number}"
        if (folder / BEST).is_file():
            return read_trained_model(folder)
        return read_series_model(folder / "part-0").encoders[0]  # of series: its first look

    def heat(row: int) -> np.ndarray | None:
        one = trained(model_of[store.slices["SOPInstanceUID"][row]])
        return mean_heat_map([one], store, row, column)

    return heat


def mean_heat_map(
    models: Sequence[TrainedModel], store: Store, row: int, column: int
) -> np.ndarray | None:
    """(h, w) float32 from 0 to 1: where a slice of the store speaks for the output `column`, as the
    mean of several models that look at slices of one size; None where nothing does, or where the
    networks draw masks."""
    if any(one.mask_findings for one in models):
        return None
    total = np.zeros(())
    for one in models:
        hu = read_with_neighbors(
            store, neighbor_rows(store.slices, np.array([row]), one.view.neighbors)
        )
        found = heat_map(one.model, to_view(torch.from_numpy(hu), one.view), column)[0].numpy()
        total = total + found
    return np.asarray(total / total.max(), np.float32) if total.max() > 0 else None
