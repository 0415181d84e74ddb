"""reports/heat.py: where slices of a run speak for a finding: heat maps of its models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
import torch

from wetread.archive.files.table_file import read_parquet
from wetread.archive.types import Float32Array
from wetread.models.heat import heat_map
from wetread.store.store import Store
from wetread.training.predictions import FILE
from wetread.training.run import TrainedModel
from wetread.training.series.reader import read_series_model
from wetread.training.slices.batches import neighbor_rows, read_with_neighbors
from wetread.training.slices.members import read_members
from wetread.view.device import to_view

# Row of a store -> (h, w) float32 from 0 to 1, or None where there is no heat map.
HeatMaps = Callable[[int], Float32Array | None]


def run_heat_maps(run: Path, store: Store, column: int) -> HeatMaps:
    """Make heat maps of a run's slices for the output `column`, each (h, w) float32 by the
    networks that were not fitted to the slice; None as for mean_heat_map."""
    table = read_parquet(run / FILE, columns=["level", "id", "model"])
    images = table.filter(pl.col("level") == "image").select("id", "model").unique()
    numbers = dict(images.iter_rows())

    @lru_cache(maxsize=1)
    def read_models(number: int) -> list[TrainedModel]:
        part = run / f"model-{number}" / "part-0"
        return read_members(run, number) or [read_series_model(part).encoders[0]]

    def heat_map_of(row: int) -> Float32Array | None:
        """Make the heat map (h, w) of a row of the store."""
        models = read_models(numbers[store.slices["SOPInstanceUID"][row]])
        return mean_heat_map(models, store, row, column)

    return heat_map_of


def mean_heat_map(
    models: Sequence[TrainedModel], store: Store, row: int, column: int
) -> Float32Array | None:
    """Average where a slice of the store speaks for the output `column` of several models of one
    view size: (h, w) float32 from 0 to 1; None where nothing does, or where the networks draw
    masks, which say more."""
    if any(model.mask_findings for model in models):
        return None
    total = np.zeros(())
    for model in models:
        rows = neighbor_rows(store.slices, np.array([row]), model.view)
        view = to_view(torch.from_numpy(read_with_neighbors(store, rows)), model.view)
        total = total + heat_map(model.model, view, column)[0].numpy()
    return np.asarray(total / total.max(), np.float32) if total.max() > 0 else None
