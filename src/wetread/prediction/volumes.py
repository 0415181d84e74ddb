"""prediction/volumes.py: maps that the encoders of several runs drew along a series become its
masks, slice by slice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from wetread.archive.types import BoolArray, Int64Array
from wetread.evaluation.volume_decision import DecidedMaps, SeriesMaps, VolumeThresholds
from wetread.store.store import Store
from wetread.study.boxes import PixelBox
from wetread.training.drawings import Drawings
from wetread.training.mask_table import PackedMaps, mean_map


@dataclass(frozen=True, eq=False)
class CropMaps:
    """Maps that the encoders of one crop drew in all slices.

    findings: M names. maps: by row of the store, of each group of networks its M maps.
    recent:   what was decided on the M volumes that were asked for last, those of one series.
    """

    store: Store
    findings: tuple[str, ...]
    maps: Sequence[PackedMaps]
    recent: dict[DrawnVolume, DecidedMaps] = field(default_factory=dict, repr=False)

    def decided(self, volume: DrawnVolume) -> DecidedMaps:
        """Unpack the maps of a volume of this crop and decide on them, once for its files, its
        measures and its key slices."""
        found = self.recent.get(volume)
        if found is None:
            while len(self.recent) >= len(self.findings):
                self.recent.pop(next(iter(self.recent)))
            found = self.recent[volume] = volume.maps.decide(volume.thresholds)
        return found


@dataclass(frozen=True, eq=False)
class DrawnVolume:
    """The mask of one finding along one series; slices are made anew each time they are asked for,
    for whole masks of many series are large.

    rows:       (Z,) of the store, by position along the normal, one at least.
    crop:       in which it was drawn.
    thresholds: by which maps become the mask.
    """

    finding: str
    rows: Int64Array
    crop: CropMaps
    thresholds: VolumeThresholds

    @property
    def maps(self) -> SeriesMaps:
        """Gather the maps of the series."""
        box = self.crop.store.slices["box"][int(self.rows[0])].to_list()
        column = self.crop.findings.index(self.finding)
        maps = np.stack([mean_map(self.crop.maps[row], column) for row in self.rows])
        return SeriesMaps(maps, PixelBox(*box), self.shape)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the pictures."""
        slices = self.crop.store.slices.select("source_rows", "source_columns")
        rows, columns = slices.row(int(self.rows[0]))
        return rows, columns

    def masks(self) -> Iterator[BoolArray]:
        """Decide the mask (rows, columns) bool of each slice, one after the other."""
        return self.crop.decided(self).masks()

    def mask_of(self, row: int) -> BoolArray:
        """Decide the mask (rows, columns) bool of a row of the store; empty outside the series."""
        places = np.flatnonzero(self.rows == row)
        if len(places) == 0:
            return np.zeros(self.shape, bool)
        return self.crop.decided(self).mask(int(places[0]))


def draw_volumes(
    crops: Sequence[CropMaps], rows: Int64Array, thresholds: Mapping[str, VolumeThresholds]
) -> tuple[DrawnVolume, ...]:
    """List the masks of one series, rows (Z,) of every crop's store, finding by finding."""
    return tuple(
        DrawnVolume(finding, rows, crop, thresholds[finding])
        for crop in crops
        for finding in crop.findings
    )


def mean_volume_thresholds(runs: Sequence[Drawings]) -> dict[str, VolumeThresholds]:
    """Average the thresholds that each of some runs chose, finding by finding; {} without runs."""
    names = runs[0].thresholds if runs else ()
    pairs = {name: [run.thresholds[name] for run in runs] for name in names}
    return {
        name: VolumeThresholds(
            float(np.mean([pair.low for pair in chosen])),
            float(np.mean([pair.high for pair in chosen])),
        )
        for name, chosen in pairs.items()
    }
