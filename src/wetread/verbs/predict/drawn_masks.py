"""verbs/predict/drawn_masks.py: masks that an ensemble drew, written as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wetread.archive.types import JsonObject
from wetread.outputs.masks import MaskReading, write_mask
from wetread.outputs.uid_names import safe_name
from wetread.prediction.masks import DrawnMasks
from wetread.store.store import Store
from wetread.study.header_content import SECONDARY_CAPTURE


def write_masks(
    folder: Path, store: Store, masks: DrawnMasks, images: pl.DataFrame
) -> list[MaskReading]:
    """Write the mask (rows, columns) of every slice and finding as files, one after the other, and
    describe each. images: rows of the index, which have the spacing."""
    spacing = {  # a capture's is often that of the film before it was made smaller
        row["SOPInstanceUID"]: (row["row_spacing_mm"], row["column_spacing_mm"])
        for row in images.iter_rows(named=True)
        if row["row_spacing_mm"] is not None and row["SOPClassUID"] != SECONDARY_CAPTURE
    }
    uids = store.slices["SOPInstanceUID"]
    several = len(masks.findings) > 1
    return [
        write_mask(
            mask,
            folder,
            uids[row],
            finding,
            spacing.get(uids[row]),
            safe_name(f"{uids[row]}_{finding}" if several else uids[row]),
        )
        for row, finding, mask in masks.masks(store)
    ]


def masks_by_study(store: Store, masks: Sequence[MaskReading]) -> dict[str, list[JsonObject]]:
    """Map each study to the masks of its images, as plain values for its reading."""
    study = dict(store.slices.select("SOPInstanceUID", "StudyInstanceUID").iter_rows())
    found: dict[str, list[JsonObject]] = {}
    for mask in masks:
        found.setdefault(study[mask.image], []).append(mask.to_dict())
    return found
