"""survey/first_warnings.py: what can be warned of at once, when an archive has been indexed."""

from __future__ import annotations

import polars as pl

from wetread.archive.index.index import Index
from wetread.archive.index.intercept import WRONG_INTERCEPT
from wetread.archive.plural import plural
from wetread.study.patients import meaningless_ids
from wetread.survey.objects import collected, images_of


def first_warnings(index: Index) -> tuple[str, ...]:
    """Say what an index shows without a label or a pixel: ids that name no patient, several
    modalities, intercepts that are wrong."""
    counts, found = index.counts(), []
    images = images_of(index.table)
    wrong = pl.col("notes").list.contains(WRONG_INTERCEPT).fill_null(False)
    numbers = collected(images.select(pl.col("PatientID").count(), wrong=wrong.sum()))
    reason = meaningless_ids(
        images=counts["instances"],
        known=numbers["PatientID"].item(),
        patients=counts["patients"],
        studies=counts["studies"],
    )
    if reason is not None:
        found.append(reason)
    modalities = collected(images.group_by("Modality").len()).sort("len", descending=True)
    if modalities.height > 1:
        named = (f"{name or 'none named'} {count}" for name, count in modalities.iter_rows())
        found.append(f"{modalities.height} modalities ({', '.join(named)})")
    if (count := numbers["wrong"].item()) > 0:
        found.append(f"{plural(count, 'image')} with a wrong intercept, repaired where it is read")
    return tuple(found)
