"""reports/heat.py: where slices of a run speak for a finding: heat maps of its models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import polars as pl

from wetread.archive.files.table_file import read_parquet
from wetread.archive.types import Float32Array
from wetread.reports.mean_heat import mean_heat_map
from wetread.store.store import Store
from wetread.training.networks import SliceNetwork
from wetread.training.predictions import FILE
from wetread.training.series.reader import read_series_model
from wetread.training.slices.members import read_members

# Row of a store -> (h, w) float32 from 0 to 1, or None where there is no heat map.
HeatMaps = Callable[[int], Float32Array | None]


def run_heat_maps(run: Path, store: Store, column: int) -> HeatMaps:
    """Make heat maps of a run's slices for the output `column`, each (h, w) float32 by the
    networks that were not fitted to the slice; None as for mean_heat_map."""
    table = read_parquet(run / FILE, columns=["level", "id", "model"])
    images = table.filter(pl.col("level") == "image").select("id", "model").unique()
    numbers = dict(images.iter_rows())

    @lru_cache(maxsize=1)
    def read_models(number: int) -> Sequence[SliceNetwork]:
        part = run / f"model-{number}" / "part-0"
        return read_members(run, number) or [read_series_model(part).encoders[0]]

    def heat_map_of(row: int) -> Float32Array | None:
        """Make the heat map (h, w) of a row of the store."""
        models = read_models(numbers[store.slices["SOPInstanceUID"][row]])
        return mean_heat_map(models, store, row, column)

    return heat_map_of
