"""training/slices/batches.py: rows of the store become batches, in an order that a seed decides.

Every number here depends on (seed, epoch, step) alone, never on what was drawn before: a run that
stops goes on at its step, and threads may read ahead in any order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import polars as pl

from wetread.archive.types import BoolArray, Float32Array, FloatArray, Int16Array, Int64Array
from wetread.store.store import acquisition_keys
from wetread.training.masks import MaskTargets
from wetread.training.random_streams import RandomStream, make_generator
from wetread.training.recipe import Recipe
from wetread.training.slices.grafts import Grafts, Images, odds_without_grafts, paint_grafts
from wetread.training.slices.source import SliceSource, read_compact_hu
from wetread.view.augment import Augmentation, draw_augmentation
from wetread.view.view import View

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class TrainSet:
    """The slices that are learned from.

    source:  where their HU are read.
    rows:    (N,) rows of source.
    targets: (N, F) in 0..1, NaN unknown.
    weights: (F,) of the findings in the loss.
    mirror:  (F,) the finding that each one becomes when an image is flipped left to right.
    masks:   of the N slices; None where no pixel is learned.
    grafts:  how a lesion is painted into a slice without any; None: none is.
    mixed:   slices of other patients, with the same findings and masks, of which each batch has
             some; None: there are none.
    """

    source: SliceSource
    rows: Int64Array
    targets: Float32Array
    weights: Float32Array
    mirror: Int64Array
    masks: MaskTargets | None = None
    grafts: Grafts | None = None
    mixed: TrainSet | None = None

    def __post_init__(self) -> None:
        n, findings = self.targets.shape
        if len(self.rows) != n or len(self.weights) != findings or len(self.mirror) != findings:
            raise ValueError(
                f"{len(self.rows)} rows, targets {self.targets.shape}, {len(self.weights)} weights "
                f"and {len(self.mirror)} mirrors do not belong together"
            )
        if n == 0:
            raise ValueError("no slice to learn from: no image has a label")


@dataclass(frozen=True, eq=False)
class Batch:
    """Slices of one training step.

    hu:         (B, 1 + 2k, H, W) HU, int16 where the source keeps them so, else float32.
    targets:    (B, F), NaN unknown.
    size:       rows and columns of the view.
    masks:      (B, M, h, w) float32 in [0, 1], not yet moved; M may be 0.
    mask_known: (B, M).
    """

    hu: Int16Array | Float32Array
    targets: Float32Array
    augmentation: Augmentation
    size: int
    masks: Float32Array
    mask_known: BoolArray

    def parts(self, count: int) -> list[Batch]:
        """Part the batch into count parts of about equal size, fewer where there are fewer
        slices."""
        places = np.array_split(np.arange(len(self.targets)), min(count, len(self.targets)))
        return [
            Batch(
                self.hu[i], self.targets[i], self.augmentation.select(i), self.size,
                self.masks[i], self.mask_known[i],
            )
            for i in places
        ]  # fmt: skip


@dataclass(frozen=True)
class Share:
    """The share of every batch that one of several processes learns.

    number, count: of the processes. parts: of the batch, equal ones, that each process learns.
    """

    number: int = 0
    count: int = 1
    parts: int = 1

    def of(self, size: int) -> Int64Array:
        """Find the places (n,) of a batch's slices; none where it has fewer slices than parts."""
        parts = np.array_split(np.arange(size), min(self.count * self.parts, size))
        own = parts[self.number * self.parts : (self.number + 1) * self.parts]
        return np.concatenate([np.empty(0, np.int64), *own])


EVERYTHING = Share()


def train_set(
    source: SliceSource,
    rows: Sequence[int] | Int64Array,
    targets: FloatArray,
    weights: Sequence[float] | None = None,
    mirror: Sequence[int] | None = None,
    masks: MaskTargets | None = None,
    grafts: Grafts | None = None,
) -> TrainSet:
    """Select the slices, of rows (N,) and targets (N, F), with at least one known target; weights
    (F,) are equal and mirror (F,) the findings themselves where they are not given."""
    targets = np.asarray(targets, np.float32)
    known = ~np.isnan(targets).all(1)
    findings = targets.shape[1]
    return TrainSet(
        source,
        np.asarray(rows, np.int64)[known],
        targets[known],
        np.asarray(np.ones(findings) if weights is None else weights, np.float32),
        np.asarray(np.arange(findings) if mirror is None else mirror, np.int64),
        None if masks is None else masks.of(np.flatnonzero(known)),
        grafts,
    )


def neighbor_rows(slices: pl.DataFrame, rows: Int64Array, view: View) -> Int64Array:
    """Find the rows before and after in the same acquisition of a series, (N,) to (N, 1 + 2k); its
    ends repeat. They are the slices nearest to the view's distances, k slices away at least; the
    adjacent ones where it has none, or a series no places."""
    series = acquisition_keys(slices).rle_id().to_numpy().astype(np.int64)
    starts = np.searchsorted(series, series[rows], side="left")
    ends = np.searchsorted(series, series[rows], side="right") - 1
    steps = np.arange(-view.neighbors, view.neighbors + 1)
    around = rows[:, None] + steps
    if view.neighbors and view.neighbor_mm:
        position = slices["position_mm"].to_numpy()
        order = np.argsort(starts, kind="stable")
        turns = np.flatnonzero(np.diff(starts[order])) + 1
        for own in np.split(order, turns) if len(order) else ():  # places of one acquisition's rows
            start = starts[own[0]]
            part = position[start : ends[own[0]] + 1]
            if not (np.diff(part) > 0).all():  # NaN: no place
                continue
            places = position[rows[own], None] + steps * view.neighbor_mm
            nearest = start + np.searchsorted((part[1:] + part[:-1]) / 2, places)
            away = np.maximum(np.abs(nearest - rows[own, None]), np.abs(steps))
            around[own] = rows[own, None] + np.sign(steps) * away
    return np.asarray(np.clip(around, starts[:, None], ends[:, None]), np.int64)


def read_with_neighbors(source: SliceSource, rows: Int64Array) -> Int16Array | Float32Array:
    """Read HU (N, 1 + 2k, H, W) of the rows of neighbor_rows, (N, 1 + 2k), each slice once; int16
    where the source keeps them so."""
    if not len(rows):
        return np.zeros((*rows.shape, 1, 1), np.float32)
    hu = read_compact_hu(source, rows.ravel())
    return hu.reshape(*rows.shape, *hu.shape[1:])


def negatives_per_epoch(targets: Float32Array, recipe: Recipe, epoch: int) -> int:
    """Count the slices without any finding that an epoch takes; targets (N, F)."""
    positives = int((targets > 0.5).any(1).sum())
    return _negatives_taken(positives, len(targets) - positives, recipe, epoch)


def _negatives_taken(positives: int, negatives: int, recipe: Recipe, epoch: int) -> int:
    wanted = recipe.negatives_at(epoch)
    if wanted == 0 or positives == 0:
        return negatives
    return min(negatives, max(1, round(positives * wanted)))


def negative_rate(targets: Float32Array, recipe: Recipe) -> float:
    """Compute the share of the slices without any finding that the last epoch takes, r of
    undo_balance, less by what grafts make positive; targets (N, F)."""
    positives = int((targets > 0.5).any(1).sum())
    negatives = len(targets) - positives
    if not negatives:
        return 1.0
    taken = negatives_per_epoch(targets, recipe, recipe.epochs - 1)
    return taken / negatives * odds_without_grafts(positives, taken, recipe.grafts.share)


def epoch_items(targets: Float32Array, recipe: Recipe, epoch: int) -> Int64Array:
    """Choose what an epoch learns from, in order: all positives, and fresh negatives; (n,) indices
    of targets (N, F).

    The negatives run through whole shuffles, one after the other, so all are taken equally often.
    """
    positive = (targets > 0.5).any(1)
    negatives = np.flatnonzero(~positive)
    counts = len(targets) - len(negatives), len(negatives)
    wanted = _negatives_taken(*counts, recipe, epoch)
    before = sum(_negatives_taken(*counts, recipe, earlier) for earlier in range(epoch))
    taken = np.arange(before, before + wanted)
    chosen = np.empty(wanted, np.int64)
    for turn in np.unique(taken // max(len(negatives), 1)):
        here = taken // len(negatives) == turn
        shuffle = make_generator(recipe.seed, RandomStream.NEGATIVES, int(turn))
        chosen[here] = shuffle.permutation(negatives)[taken[here] % len(negatives)]
    items = np.concatenate([np.flatnonzero(positive), chosen])
    return make_generator(recipe.seed, RandomStream.SLICE_ORDER, epoch).permutation(items)


def steps_per_epoch(targets: Float32Array, recipe: Recipe, epoch: int) -> int:
    """Count the batches in an epoch, of which none is smaller than half of the others; targets
    (N, F)."""
    items = int((targets > 0.5).any(1).sum()) + negatives_per_epoch(targets, recipe, epoch)
    return max(1, -(-items // recipe.batch_size))


def batches(
    data: TrainSet, recipe: Recipe, epoch: int, start: int = 0, share: Share = EVERYTHING
) -> Iterator[Batch]:
    """Yield the epoch's batches from step start on, read ahead by threads, in order; of each the
    share alone, of which alone the slices are read."""
    items = epoch_items(data.targets, recipe, epoch)
    parts = np.array_split(items, steps_per_epoch(data.targets, recipe, epoch))
    around = neighbor_rows(data.source.slices, data.rows, recipe.view)
    mixed = data.mixed
    positive = float((data.targets[items] > 0.5).any(1).mean())
    if data.grafts is not None:
        positive += (1 - positive) * recipe.grafts.share
    if mixed is not None:
        around_mixed = neighbor_rows(mixed.source.slices, mixed.rows, recipe.view)

    def make(step: int) -> Batch:
        whole, other = parts[step], np.empty(0, np.int64)
        if mixed is not None:
            rng = make_generator(recipe.seed, RandomStream.MIXED, epoch, step)
            other = mixed_items(mixed.targets, len(whole), recipe.phantoms.share, positive, rng)
        places = share.of(len(whole) + len(other))
        item = whole[places[places < len(whole)]]
        images = Images(
            read_with_neighbors(data.source, around[item]),
            data.targets[item],
            *_masks(data.masks, item),
        )
        if data.grafts is not None and recipe.grafts.share:
            images = replace(images, hu=images.hu.astype(np.float32))  # lesions are no integers
            paint_grafts(
                images, data.grafts, items=item, slices=data.source.slices[data.rows[item]],
                share=recipe.grafts.share, seed=recipe.seed, epoch=epoch,
            )  # fmt: skip
        if mixed is not None:
            joined = other[places[places >= len(whole)] - len(whole)]
            more = Images(
                read_with_neighbors(mixed.source, around_mixed[joined]),
                mixed.targets[joined],
                *_masks(mixed.masks, joined),
            )
            images = images.joined(more)
        rng = make_generator(recipe.seed, RandomStream.AUGMENTATION, epoch, step)
        drawn = draw_augmentation(recipe.strengths, len(whole) + len(other), rng).select(places)
        flipped = np.where(drawn.flip[:, None], images.targets[:, data.mirror], images.targets)
        return Batch(
            images.hu, flipped, drawn, recipe.size_at(epoch), images.masks, images.mask_known
        )

    return read_ahead(make, range(start, len(parts)), recipe.runtime.readers)


def mixed_items(
    targets: Float32Array, count: int, share: float, positive: float, rng: np.random.Generator
) -> Int64Array:
    """Draw which of targets (N, F) join `count` others in a batch, to be a share of it: (n,).

    positive: the share of those with a finding among them, that of the others, so that what is
    learned of how often one has it stays true of them.
    """
    wanted = round(count * share / (1 - share))
    found = (targets > 0.5).any(1)
    sides = np.flatnonzero(found), np.flatnonzero(~found)
    with_finding = int(rng.binomial(wanted, positive))
    counts = (with_finding, wanted - with_finding)
    drawn = [
        rng.choice(side if len(side) else np.arange(len(targets)), n)
        for side, n in zip(sides, counts, strict=True)
    ]
    return np.concatenate(drawn).astype(np.int64)


def _masks(masks: MaskTargets | None, item: Int64Array) -> tuple[Float32Array, BoolArray]:
    if masks is None:
        return np.zeros((len(item), 0, 1, 1), np.float32), np.zeros((len(item), 0), bool)
    return masks.at(item), masks.known[item]


def read_ahead(
    make: Callable[[int], Item],
    steps: Sequence[int],
    readers: int,
    prepare: Callable[[], None] | None = None,
) -> Iterator[Item]:
    """Yield make(step) of every step, in order; up to two a reader are being made before they are
    due. prepare() is called once in every thread that makes them."""
    with ThreadPoolExecutor(readers, initializer=prepare) as pool:
        waiting: deque[Future[Item]] = deque()
        try:
            for step in steps:
                waiting.append(pool.submit(make, step))
                if len(waiting) > 2 * readers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
