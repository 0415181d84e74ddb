"""verbs/predict/placements.py: whether the studies of an archive that was read are like those that
its readers learned from."""

from __future__ import annotations

from wetread.inputs.study_traits import study_traits
from wetread.prediction.in_distribution import place_studies
from wetread.prediction.placement import Placement
from wetread.prediction.studies import judging_slices
from wetread.verbs.predict.read_archive import ReadArchive


def place_read(read: ReadArchive) -> dict[str, Placement]:
    """Place every study that was read, by the series that judges it."""
    judging = judging_slices(read.store, read.selection.ranked)
    traits = study_traits(read.selection.series, judging)
    return place_studies(read.reader.ensemble.bounds, read.store, judging, traits)
