"""reports/mean_heat.py: where a slice speaks for a finding, the mean of several networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wetread.archive.types import Float32Array
from wetread.store.store import Store
from wetread.training.networks import SliceNetwork


def mean_heat_map(
    models: Sequence[SliceNetwork], store: Store, row: int, column: int
) -> Float32Array | None:
    """Average where a slice of the store speaks for the output `column` of several models of one
    view size: (h, w) float32 from 0 to 1; None where nothing does, where the networks draw masks,
    which say more, or where one has no gradients to tell it by."""
    if any(model.mask_findings for model in models):
        return None
    total = np.zeros(())
    for model in models:
        heat = model.heat_map(store, row, column)
        if heat is None:
            return None
        total = total + heat
    return np.asarray(total / total.max(), np.float32) if total.max() > 0 else None
