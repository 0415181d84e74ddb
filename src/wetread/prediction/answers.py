"""prediction/answers.py: the answer of a reader about packed studies, of one form for all tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wetread.archive.types import Float64Array
from wetread.prediction.masks import NO_MASKS, DrawnMasks
from wetread.prediction.volumes import DrawnVolume


@dataclass(frozen=True, eq=False)
class Answers:
    """Probabilities and masks of a store's slices and of the studies they belong to.

    image:  (N, I) float64 probability of each finding of slices, by row of the store.
    study:  StudyInstanceUID to (S,) float64 probability of each finding of studies.
    broken: StudyInstanceUID to the names of the label rules that its probabilities broke before
            they were made consistent; empty where the task has no such rules.
    masks:  drawn in the slices, NO_MASKS where the networks draw none.
    study_disagreement: standard deviations of the logits of networks and views, as study; None
            where they are not known.
    free:   image and study as they were before they were made consistent; None where the task has
            no rules.
    """

    image: Float64Array
    study: Mapping[str, Float64Array]
    broken: Mapping[str, tuple[str, ...]]
    masks: DrawnMasks = NO_MASKS
    study_disagreement: Mapping[str, Float64Array] | None = None
    volumes: Mapping[str, tuple[DrawnVolume, ...]] = field(default_factory=dict)
    free: tuple[Float64Array, Mapping[str, Float64Array]] | None = None
