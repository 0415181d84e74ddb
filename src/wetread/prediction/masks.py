"""prediction/masks.py: maps that several networks drew of slices become masks of the pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

import numpy as np

from wetread.archive.types import BoolArray
from wetread.evaluation.decision import MaskThresholds, apply_thresholds
from wetread.store.store import Store
from wetread.study.boxes import PixelBox
from wetread.training.decide import Decision
from wetread.training.mask_table import PackedMaps, mean_map
from wetread.view.uncrop import uncrop


@dataclass(frozen=True, eq=False)
class DrawnMasks:
    """The masks that an ensemble drew in N slices, kept as packed maps until they are asked for.

    findings:   M names, of what is drawn.
    thresholds: M, by which a map becomes a mask.
    maps:       N, by row of the store; () where M is 0.
    """

    findings: tuple[str, ...]
    thresholds: tuple[MaskThresholds, ...]
    maps: tuple[PackedMaps, ...]

    def mask(self, store: Store, row: int, column: int) -> BoolArray:
        """Decide the mask of one slice of the store, of findings[column]: (rows, columns) bool on
        the picture's own grid."""
        box, rows, columns = store.slices.select("box", "source_rows", "source_columns").row(row)
        probability = uncrop(mean_map(self.maps[row], column), PixelBox(*box), (rows, columns))
        return apply_thresholds(probability, self.thresholds[column])

    def masks(self, store: Store) -> Iterator[tuple[int, str, BoolArray]]:
        """Yield row, finding and mask (rows, columns) bool of every slice and finding."""
        for row in range(len(store)):
            for column, finding in enumerate(self.findings):
                yield row, finding, self.mask(store, row, column)


NO_MASKS = DrawnMasks((), (), ())


def mean_thresholds(decisions: Sequence[Decision]) -> MaskThresholds:
    """Average the thresholds that each of some runs chose, number by number."""
    numbers = [astuple(decision.thresholds) for decision in decisions]
    return MaskThresholds(*(float(number) for number in np.mean(numbers, axis=0)))
