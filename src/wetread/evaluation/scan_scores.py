"""evaluation/scan_scores.py: drawn masks of scans to scores: overlap, surfaces, lesions, ml."""

from collections.abc import Sequence

import numpy as np

from wetread.archive.types import Float64Array
from wetread.evaluation.intervals import DRAWS, draw_patients, drawn_ratio, percentile_interval
from wetread.evaluation.score import Score
from wetread.evaluation.volume_masks import VolumeMaskScore

LEVEL = "scan"


def scan_scores(
    scans: Sequence[VolumeMaskScore],
    patients: Sequence[str],
    *,
    finding: str,
    split: str,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> list[Score]:
    """Score the masks of one finding over N scans whose true mask is known, level "scan".

    dice, surface_dice:  means over scans; dice_all_empty: that of an empty mask for all.
    lesion_recall:       lesions that hold a drawn voxel, of all lesions of all scans.
    false_lesions:       drawn components without a true voxel, a scan.
    truth_ml, drawn_ml:  mean volumes; volume_difference_ml: drawn minus true, scan by scan.
    """
    of_scan, times = draw_patients(patients, draws, rng)
    truth, drawn = (
        np.array([getattr(one, name) for one in scans]) for name in ("truth_ml", "drawn_ml")
    )
    lesions = np.array([one.lesions for one in scans], np.float64)
    once = np.ones(len(scans))
    parts: dict[str, tuple[Float64Array, Float64Array]] = {
        "dice": (np.array([one.dice for one in scans]), once),
        "dice_all_empty": ((truth == 0).astype(np.float64), once),
        "surface_dice": (np.array([one.surface_dice for one in scans]), once),
        "lesion_recall": (np.array([one.lesions_found for one in scans], np.float64), lesions),
        "false_lesions": (np.array([one.false_lesions for one in scans], np.float64), once),
        "truth_ml": (truth, once),
        "drawn_ml": (drawn, once),
        "volume_difference_ml": (drawn - truth, once),
    }
    several = len(set(patients)) > 1
    scores = []
    for metric, (over, under) in parts.items():
        total = float(under.sum())
        value = float(over.sum()) / total if total else None
        ratios = drawn_ratio(over, under, of_scan, times)
        interval = percentile_interval(ratios) if several and value is not None else None
        low, high = interval or (None, None)
        reason = None
        if value is None:
            reason = "no lesion in any scan"
        elif interval is None:
            reason = "no interval: one patient" if not several else "no interval: too few patients"
        scores.append(
            Score(metric, finding, LEVEL, split, value, low, high, len(set(patients)),
                  int((truth > 0).sum()), reason)
        )  # fmt: skip
    return scores
