"""verbs/predict/drawn_masks.py: what an ensemble drew in a store's images, written as mask
files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from wetread.outputs.masks import MaskReading, write_mask
from wetread.outputs.uid_names import safe_name
from wetread.prediction.drawing import Said, decided_masks
from wetread.prediction.ensemble import Ensemble
from wetread.store.store import Store

# Its spacing is often that of the film before it was made smaller.
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def write_masks(
    folder: Path, store: Store, said: Said, ensemble: Ensemble, images: pl.DataFrame
) -> list[MaskReading]:
    """Every mask as files, one after the other; what they say in words."""
    spacing = {
        row["SOPInstanceUID"]: (row["row_spacing_mm"], row["column_spacing_mm"])
        for row in images.iter_rows(named=True)
        if row["row_spacing_mm"] is not None and row["SOPClassUID"] != SECONDARY_CAPTURE
    }
    uids = store.slices["SOPInstanceUID"]
    several = len(ensemble.drawn) > 1
    return [
        write_mask(
            mask,
            folder,
            uids[row],
            spacing.get(uids[row]),
            safe_name(f"{uids[row]}_{finding}" if several else uids[row]),
        )
        for row, finding, mask in decided_masks(store, said, ensemble)
    ]


def masks_by_study(store: Store, masks: Sequence[MaskReading]) -> dict[str, list[dict[str, Any]]]:
    """Study to what was drawn in its images, as plain values for its reading."""
    study = dict(store.slices.select("SOPInstanceUID", "StudyInstanceUID").iter_rows())
    found: dict[str, list[dict[str, Any]]] = {}
    for mask in masks:
        found.setdefault(study[mask.image], []).append(mask.to_dict())
    return found
