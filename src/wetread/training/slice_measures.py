"""training/slice_measures.py: numbers measured in the masks that a run drew in slices of
patients it had not learned from, against those in the true masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from wetread.archive.types import BoolArray, Int64Array
from wetread.evaluation.decision import apply_thresholds
from wetread.labels.mask_text import decode_masks
from wetread.store.store import Store, acquisition_keys
from wetread.study.boxes import PixelBox
from wetread.study.placement import series_placement
from wetread.training.decide import DecidedFinding
from wetread.training.mask_table import unpack_map
from wetread.training.measures import (
    CroppedPicture,
    DrawnStack,
    MaskMeasure,
    MeasureError,
    measure_error,
)
from wetread.view.uncrop import uncrop


def measure_errors(
    decided: Mapping[str, DecidedFinding],
    measures: Sequence[MaskMeasure],
    store: Store,
    images: pl.DataFrame,
) -> dict[str, MeasureError]:
    """Find how far each number is off in the scored studies whose true masks are known, each in the
    stack that a reading measures it in.

    decided: of each finding the scored slices, the same of all, by rows of the store. images: rows
    of the index, which say where slices lie. A number of which that is known in fewer than two
    studies that have any has none.
    """
    found = {}
    for measure in measures:
        if not all(name in decided for name in measure.findings):
            continue
        findings = [decided[name] for name in measure.findings]
        rows = findings[0].rows["row"].to_numpy()
        drawn, true = list[float](), list[float]()
        for inside in measured_stacks(findings, store):
            place = series_placement(store.slices["SOPInstanceUID"].gather(rows[inside]), images)
            pairs = [(drawn_masks(one, store, inside), true_masks(one, inside)) for one in findings]
            for values, masks in zip((drawn, true), zip(*pairs, strict=True), strict=True):
                pictures = cropped_pictures(store, rows[inside].tolist())
                values.append(measure.measure(DrawnStack(masks, place, pictures)))
        error = measure_error(drawn, true)
        if error is not None:
            found[measure.name] = error
    return found


def measured_stacks(findings: Sequence[DecidedFinding], store: Store) -> list[Int64Array]:
    """Choose of each study the stack that has its most suspicious slice: places among the scored
    slices, in order of position. Left out where not all of its slices are scored and have their
    true masks."""
    rows = findings[0].rows["row"].to_numpy()
    keys = acquisition_keys(store.slices)
    stacks, slices_of = keys.gather(rows).to_numpy(), Counter(keys)
    studies = store.slices["StudyInstanceUID"].gather(rows).to_numpy()
    suspicion = np.max([one.probability for one in findings], axis=0)
    known = np.all([one.rows["truth_pixels"].is_not_null().to_numpy() for one in findings], axis=0)
    found = []
    for study in np.unique(studies):
        of_study = np.flatnonzero(studies == study)
        stack = stacks[of_study[np.argmax(suspicion[of_study])]]
        inside = np.flatnonzero(stacks == stack)
        if known[inside].all() and len(inside) == slices_of[stack]:
            found.append(inside[np.argsort(rows[inside])])  # a store is in order of position
    return found


def cropped_pictures(store: Store, rows: Sequence[int]) -> Iterator[CroppedPicture]:
    """Read slices of a store as networks were given them, one after the other."""
    for row in rows:
        yield CroppedPicture(store.read_hu([row])[0], PixelBox(*store.slices["box"][row]))


def drawn_masks(one: DecidedFinding, store: Store, places: Int64Array) -> Iterator[BoolArray]:
    """Make the masks (rows, columns) bool that were drawn in slices, by their places in one.rows,
    by the thresholds that other patients chose."""
    for place in places:
        row = one.rows.row(place, named=True)
        box = PixelBox(*store.slices["box"][row["row"]])
        probability = uncrop(unpack_map(row["map"]), box, (row["rows"], row["columns"]))
        yield apply_thresholds(probability, one.image_thresholds[place])


def true_masks(one: DecidedFinding, places: Int64Array) -> Iterator[BoolArray]:
    """Decode the true masks (rows, columns) bool of slices, by their places in one.rows."""
    for place in places:
        row = one.rows.row(place, named=True)
        yield decode_masks(row["runs"], (row["rows"], row["columns"]), row["form"])
