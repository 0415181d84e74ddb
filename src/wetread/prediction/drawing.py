"""prediction/drawing.py: a store and an ensemble in; probabilities and masks by row out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from wetread.evaluation.aggregate import smooth_along_z
from wetread.evaluation.calibrator import mask_evidence
from wetread.evaluation.decision import MaskThresholds, apply_thresholds
from wetread.evaluation.metrics import CLIP
from wetread.prediction.ensemble import Ensemble
from wetread.store.store import Store, acquisition_keys
from wetread.study.boxes import PixelBox
from wetread.training.mask_table import pack_map, unpack_map
from wetread.training.slices.predict import predict_with_masks, to_probabilities
from wetread.view.uncrop import uncrop

Progress = Callable[[int, int], None]
Packed = tuple[tuple[bytes, ...], ...]  # of one image: what each member drew, M maps, packed


@dataclass(frozen=True, eq=False)
class Said:
    """What an ensemble says of a store's rows.

    probability: (N, F).
    drawn:       N; empty where the ensemble draws nothing.
    """

    probability: NDArray[np.float64]
    drawn: tuple[Packed, ...]

    def map_of(self, row: int, column: int) -> NDArray[np.float32]:
        """(h, h) the members' mean probability of a finding they draw."""
        return _mean_map(self.drawn[row], column)


def read_store(store: Store, ensemble: Ensemble, mirror: Sequence[int], progress: Progress) -> Said:
    """The mean of the members, in which neighbours in a series speak for each other; calibrated
    with what was drawn, where the ensemble draws."""
    rows = np.arange(len(store))
    total = np.zeros((len(store), len(ensemble.findings)))
    drawn: list[list[tuple[bytes, ...]]] = [[] for _ in rows]

    for done, member in enumerate(ensemble.members):
        progress(done, len(ensemble.members))
        one, logits, place = member.trained, [], iter(drawn)
        for batch, maps in predict_with_masks(one.model, store, rows, one.view, one.recipe, mirror):
            logits.append(batch)
            for masks in () if maps is None else maps:
                next(place).append(tuple(map(pack_map, masks)))
        total += to_probabilities(one.model, logits, one.negative_rate)
    progress(len(ensemble.members), len(ensemble.members))
    mean = total / len(ensemble.members)
    packed = tuple(map(tuple, drawn)) if ensemble.drawn else ()
    if packed:
        mean = _calibrated(mean, packed, ensemble)
    series = acquisition_keys(store.slices).to_list()
    position = np.array(store.slices["position_mm"].to_list(), dtype=np.float64)
    return Said(smooth_along_z(mean, series, position), packed)


def decided_masks(
    store: Store, said: Said, ensemble: Ensemble
) -> Iterator[tuple[int, str, NDArray[np.bool_]]]:
    """(row, finding, mask (rows, columns) of the picture) of everything that was drawn."""
    for row in range(len(store)):
        for column, finding in enumerate(ensemble.drawn):
            yield row, finding, decided_mask(store, said, ensemble, row, column)


def decided_mask(
    store: Store, said: Said, ensemble: Ensemble, row: int, column: int
) -> NDArray[np.bool_]:
    """(rows, columns) of the picture: the mask of one slice and one of the findings drawn."""
    box, rows, columns = store.slices.select("box", "source_rows", "source_columns").row(row)
    there = uncrop(said.map_of(row, column), PixelBox(*box), (rows, columns))
    return apply_thresholds(there, _mean_triplet(ensemble, ensemble.drawn[column]))


def _calibrated(
    probability: NDArray[np.float64], packed: Sequence[Packed], ensemble: Ensemble
) -> NDArray[np.float64]:
    told = probability.copy()
    for column, finding in enumerate(ensemble.drawn):
        if finding not in ensemble.findings:
            continue
        at = ensemble.findings.index(finding)
        head = logit(np.clip(probability[:, at], CLIP, 1 - CLIP))
        evidence = np.array([mask_evidence(_mean_map(drawn, column)) for drawn in packed])
        each = [one.calibrator.apply(head, evidence) for one in ensemble.decisions[finding]]
        told[:, at] = np.mean(each, axis=0)
    return told


def _mean_triplet(ensemble: Ensemble, finding: str) -> MaskThresholds:
    """The runs' rules, each number the mean."""
    rules = [astuple(decision.triplet) for decision in ensemble.decisions[finding]]
    return MaskThresholds(*(float(number) for number in np.mean(rules, axis=0)))


def _mean_map(drawn: Packed, column: int) -> NDArray[np.float32]:
    """The members' mean, on the grid of the first: another's mask stride may be another."""
    maps = [unpack_map(member[column]) for member in drawn]
    shape = maps[0].shape
    alike = [cv2.resize(one, shape, interpolation=cv2.INTER_AREA) for one in maps[1:]]
    return np.asarray(np.mean([maps[0], *alike], axis=0), np.float32)
