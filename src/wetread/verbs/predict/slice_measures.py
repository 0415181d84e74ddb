"""verbs/predict/slice_measures.py: numbers measured in the masks that were drawn slice by slice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wetread.archive.types import BoolArray, Int64Array
from wetread.prediction.masks import DrawnMasks
from wetread.prediction.studies import judging_slices
from wetread.store.store import Store, acquisition_keys
from wetread.study.placement import series_placement
from wetread.training.measures import DrawnStack
from wetread.training.slice_measures import cropped_pictures
from wetread.verbs.predict.read_archive import ReadArchive
from wetread.verbs.predict.series_masks import DrawnStudy, describe_measured

SCORED = "studies that the run was scored on"


def measure_slices(read: ReadArchive) -> dict[str, DrawnStudy]:
    """Measure the task's numbers in each study, in the stack of the slices that judge it which has
    the most suspicious one; each with its error where one run alone draws."""
    drawn, store, ensemble = read.answers.masks, read.store, read.reader.ensemble
    measures = [one for one in read.task.spec.measures if set(one.findings) <= set(drawn.findings)]
    if not measures:
        return {}
    judging = judging_slices(store, read.selection.ranked)
    headline = read.answers.image[:, read.names.key]
    keys = acquisition_keys(store.slices).to_numpy()
    found = {}
    for (study,), slices in judging.group_by("StudyInstanceUID", maintain_order=True):
        rows = slices["row"].to_numpy()
        rows = rows[keys[rows] == keys[rows[np.argmax(headline[rows])]]]
        place = series_placement(store.slices["SOPInstanceUID"].gather(rows), read.selection.images)
        values = []
        for measure in measures:
            columns = [drawn.findings.index(name) for name in measure.findings]
            masks = [_masks(drawn, store, rows, column) for column in columns]
            stack = DrawnStack(masks, place, cropped_pictures(store, rows.tolist()))
            error = ensemble.measure_errors.get(measure.name)
            values.append(describe_measured(measure, measure.measure(stack), error, SCORED))
        found[str(study)] = DrawnStudy((), tuple(values), ())
    return found


def _masks(drawn: DrawnMasks, store: Store, rows: Int64Array, column: int) -> Iterator[BoolArray]:
    """Make the masks (rows, columns) bool of one finding in slices by row of the store."""
    for row in rows.tolist():
        yield drawn.mask(store, row, column)
