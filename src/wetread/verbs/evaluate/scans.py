"""verbs/evaluate/scans.py: masks drawn along whole series against the true ones, scan by scan."""

from __future__ import annotations

import numpy as np
import polars as pl

from wetread.evaluation.scan_scores import scan_scores
from wetread.evaluation.score import Score
from wetread.evaluation.volume_masks import VolumeMaskScore, score_volume_mask
from wetread.inputs.predictions import Predictions
from wetread.labels.mask_text import decode_masks
from wetread.labels.table import LabelTable
from wetread.reports.given_cases import Masks, masks_by_image
from wetread.study.placement import stack_placement
from wetread.study.series import series_slices
from wetread.verbs.evaluate.levels import SEED, SPLIT
from wetread.verbs.evaluate.owners import Owners, patients_at


def score_scans(predictions: Predictions, truth: LabelTable, owners: Owners) -> list[Score] | str:
    """Score each finding's masks over the series of several slices whose every slice was drawn and
    is known; the reason, where there is none."""
    if predictions.index is None:
        return "which images make a series is not known; give the archive with `data`"
    drawn = predictions.table.masks
    several = pl.len().over("SeriesInstanceUID") > 1
    images = predictions.index.images.filter(
        pl.col("SOPInstanceUID").is_in(drawn["id"].implode())
    ).filter(several)
    if images.is_empty():
        return "no mask was drawn along a series"
    scores: list[Score] = []
    for finding in drawn["finding"].unique(maintain_order=True):
        given, known = masks_by_image(predictions.table, finding), _known(truth, finding)
        scans, series = [], []
        for rows in series_slices(images):
            ids = rows["SOPInstanceUID"].to_list()
            if all(name in given and name in known for name in ids):
                found = _score(rows, known, given)
                if found is not None:
                    scans.append(found)
                    series.append(ids[0])
        if scans:
            scores += scan_scores(
                scans,
                patients_at(owners, "image", series),
                finding=finding,
                split=SPLIT,
                rng=np.random.default_rng(SEED),
            )
    return scores or "no true mask of a whole series is known"


def _known(truth: LabelTable, finding: str) -> Masks:
    """Return the known masks of images: texts, or none where the image is known to be without."""
    absent = truth.frame.filter(
        (pl.col("level") == "image") & (pl.col("finding") == finding) & (pl.col("value") == 0.0)
    )
    return dict.fromkeys(absent["id"], ("relative", ())) | dict(masks_by_image(truth, finding))


def _score(rows: pl.DataFrame, truth: Masks, drawn: Masks) -> VolumeMaskScore | None:
    """Score one series; None where its slices have no even place in space."""
    place = stack_placement(rows)
    if not np.isfinite(place.affine).all():
        return None
    first = rows.row(0, named=True)
    shape = (first["Rows"], first["Columns"])
    volumes = [
        np.stack(
            [decode_masks(masks[name][1], shape, masks[name][0]) for name in rows["SOPInstanceUID"]]
        )
        for masks in (truth, drawn)
    ]
    step = float(np.median(np.abs(np.diff(place.positions_mm))))
    return score_volume_mask(volumes[0], volumes[1], (step, *place.spacing_mm))
