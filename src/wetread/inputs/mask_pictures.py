"""inputs/mask_pictures.py: a folder of mask pictures, one an image and named as it, as labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.pictures.flat import flat_fields, flat_samples, is_png
from wetread.archive.rejects import RejectError
from wetread.archive.types import BoolArray
from wetread.labels.mask_text import PICTURE, picture_text
from wetread.labels.table import LABEL_SCHEMA, MASK_SCHEMA, LabelError, LabelTable, label_table

ENDING = ".png"  # what is lossy is no mask


def read_mask_pictures(folder: Path, finding: str) -> LabelTable:
    """Read a folder of PNG masks, at any depth, each named as its image's file or its id: the
    finding is where a pixel is not 0, and an image whose mask is all 0 has none of it.

    LabelError where there is none, or one cannot be read.
    """
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() == ENDING)
    if not files:
        raise LabelError(f"{folder}: no PNG in it; give a label file, or a folder of PNG masks")
    rows, masks = [], []
    for file in files:
        data = file.read_bytes()
        if not is_png(data):
            raise LabelError(f"{file}: no PNG, whatever its name; what is lossy is no mask")
        try:
            samples = flat_samples(data, flat_fields(data, lossy=False))
        except RejectError as reject:
            raise LabelError(f"{file}: no mask can be read of it: {reject.detail}") from reject
        marked: BoolArray = np.any(np.atleast_3d(samples != 0), axis=-1)
        name = file.relative_to(folder).with_suffix("").as_posix()
        rows.append(("file", name, finding, float(marked.any())))
        if marked.any():
            masks.append((name, finding, PICTURE, [picture_text(marked)]))
    labels = label_table(pl.DataFrame(rows, schema=LABEL_SCHEMA, orient="row"))
    return LabelTable(
        labels.frame,
        labels.conflicts,
        labels.duplicates,
        masks=pl.DataFrame(masks, schema=MASK_SCHEMA, orient="row"),
    )
