"""training/decide.py: predictions and masks become decisions, each chosen on other patients.

Of one split the validation patients choose, for new studies too; of folds each fold's rule is
chosen by the others, and that for new studies by all.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

import numpy as np
import polars as pl
from scipy.special import logit

from wetread.archive.types import BoolArray, Float64Array, JsonObject
from wetread.evaluation.calibrator import Calibrator, mask_evidence
from wetread.evaluation.decision import MaskThresholds, choose_thresholds, dice_with_thresholds
from wetread.evaluation.metrics import CLIP, THRESHOLD
from wetread.training.data import LabeledSlices
from wetread.training.mask_table import sums_of, unpack_map

FILE = "decisions.json"
WANTED = "the decisions of a run, which wetread train writes; train again"
# Where no mask is known to choose by: 2,000 of 1024 x 1024 pixels, as the competition's winners.
DEFAULT = MaskThresholds(0.70, 0.0019, 0.30)
UNCALIBRATED = Calibrator(0.0, 1.0, 0.0)  # the head alone, where one class alone is known


@dataclass(frozen=True)
class Decision:
    """How an image is decided on: when a mask is drawn, and how probable the finding is."""

    thresholds: MaskThresholds
    calibrator: Calibrator

    def to_dict(self) -> JsonObject:
        """Give plain values, for JSON."""
        return {"triplet": asdict(self.thresholds), "calibrator": asdict(self.calibrator)}

    @staticmethod
    def from_dict(values: JsonObject) -> Decision:
        """Read a decision from the plain values of to_dict; ValueError where one is no number."""
        parts = (values["triplet"], values["calibrator"])
        if not all(math.isfinite(float(value)) for part in parts for value in part.values()):
            raise ValueError("a value that is no number")
        return Decision(MaskThresholds(**parts[0]), Calibrator(**parts[1]))


@dataclass(frozen=True, eq=False)
class DecidedFinding:
    """One finding's images that are scored.

    rows:        N of mask_table.
    dice:        (N,), NaN where the mask is unknown.
    probability: (N,) of the finding, calibrated.
    triplets:    N, by which each image's mask was decided.
    decision:    for images to come.
    """

    rows: pl.DataFrame
    dice: Float64Array
    probability: Float64Array
    image_thresholds: tuple[MaskThresholds, ...]
    decision: Decision


def decide_finding(drawings: pl.DataFrame, finding: str) -> DecidedFinding:
    """The rows of one finding of a run's drawings, decided."""
    own = drawings.filter(pl.col("finding") == finding)
    scored = own["split"].to_numpy() != "validation"
    sums, evidence = sums_of(own), _evidence(own)
    head = logit(np.clip(own["head"].to_numpy(), CLIP, 1 - CLIP))
    truth = own["truth"].fill_null(float("nan")).to_numpy()
    group = own["model"].to_numpy()
    dice, probability = np.full(own.height, np.nan), np.full(own.height, np.nan)
    image_thresholds = [DEFAULT] * own.height

    def choose(rows: BoolArray) -> Decision:
        """Choose by some of the rows, (N,)."""
        thresholds = (
            choose_thresholds(sums, rows) if (~np.isnan(sums.truth[rows])).any() else DEFAULT
        )
        known = truth[rows][~np.isnan(truth[rows])]
        if len(np.unique(known >= THRESHOLD)) < 2:
            return Decision(thresholds, UNCALIBRATED)
        return Decision(thresholds, Calibrator.fit(head[rows], evidence[rows], truth[rows]))

    folds = len(set(group[scored])) > 1
    for number in np.unique(group[scored]):
        inside = scored & (group == number)
        others = scored & (group != number) if folds else ~scored
        decision = choose(others)
        dice[inside] = dice_with_thresholds(sums, decision.thresholds)[inside]
        probability[inside] = decision.calibrator.apply(head[inside], evidence[inside])
        for place in np.flatnonzero(inside):
            image_thresholds[place] = decision.thresholds
    return DecidedFinding(
        own.filter(scored),
        dice[scored],
        probability[scored],
        tuple(image_thresholds[place] for place in np.flatnonzero(scored)),
        choose(scored) if folds else choose(~scored),
    )


def smooth_decided(decided: DecidedFinding, data: LabeledSlices) -> DecidedFinding:
    """Smooth the probabilities of slices along their series, as a reader of slices does after it
    has calibrated them. data: the labeled slices, the decided ones among them."""
    place_of = {row: place for place, row in enumerate(data.rows.tolist())}
    places = np.array([place_of[row] for row in decided.rows["row"]], np.int64)
    smoothed = data.smooth(decided.probability[:, None], places)[:, 0]
    return replace(decided, probability=smoothed)


def with_calibrated(
    predictions: pl.DataFrame, decided: DecidedFinding, finding: str
) -> pl.DataFrame:
    """Replace the probabilities of a finding in the table of predictions (training/predictions.py)
    by the calibrated ones; a study's is the largest of its images'."""
    calibrated = decided.rows.select("id").with_columns(calibrated=pl.Series(decided.probability))
    images = predictions.filter(pl.col("level") == "image").join(calibrated, on="id", how="inner")
    studies = images.group_by("study").agg(pl.col("calibrated").max()).rename({"study": "id"})
    by_level = pl.concat(
        [
            calibrated.with_columns(level=pl.lit("image")),
            studies.select("id", "calibrated").with_columns(level=pl.lit("study")),
        ]
    ).with_columns(finding=pl.lit(finding))
    joined = predictions.join(
        by_level, on=["level", "id", "finding"], how="left", maintain_order="left"
    )
    probability = pl.coalesce("calibrated", "probability").alias("probability")
    return joined.with_columns(probability).drop("calibrated")


def _evidence(rows: pl.DataFrame) -> Float64Array:
    return np.array([mask_evidence(unpack_map(packed)) for packed in rows["map"]], np.float64)
