"""training/slices/grafts.py: lesions of known truth painted into real negative slices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from wetread.archive.types import BoolArray, Float32Array, Int16Array, Int64Array
from wetread.training.random_streams import RandomStream, make_generator


@dataclass(frozen=True, eq=False)
class Grafted:
    """A slice, between its neighbors, with a lesion in it.

    values:   (1 + 2k, rows, columns) float32, as they are packed.
    findings: of the image, which the lesion makes positive.
    masks:    (M, rows, columns) float32 in [0, 1], the share of each pixel of the slice that is
              inside, of the findings that the task draws, in their order.
    """

    values: Float32Array
    findings: tuple[str, ...]
    masks: Float32Array


class PaintGraft(Protocol):
    """Paints a lesion of known truth into a slice without any."""

    def __call__(
        self, values: Float32Array, about: Mapping[str, object], rng: np.random.Generator
    ) -> Grafted | None:
        """Paint into values (1 + 2k, rows, columns) float32, the slice in the middle, which stay as
        they are. about: the slice's row of the store. None: no lesion can be in this slice."""


@dataclass(frozen=True)
class Grafts:
    """How lesions come into the slices of a training: by paint; findings: names of the targets."""

    paint: PaintGraft
    findings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Images:
    """Slices of a batch, not yet augmented: hu (B, 1 + 2k, H, W), targets (B, F), masks
    (B, M, h, w) and mask_known (B, M)."""

    hu: Int16Array | Float32Array
    targets: Float32Array
    masks: Float32Array
    mask_known: BoolArray

    def joined(self, other: Images) -> Images:
        """Return these slices, and the other behind them."""
        if not len(self.targets) or not len(other.targets):  # of no shape
            return self if len(self.targets) else other
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Images(*(np.concatenate(pair) for pair in pairs))


def paint_grafts(
    images: Images,
    grafts: Grafts,
    *,
    items: Int64Array,
    slices: pl.DataFrame,
    share: float,
    seed: int,
    epoch: int,
) -> None:
    """Paint lesions into a share of the images of which every target is 0; images, targets and
    masks are changed in place.

    items:  (B,) places in the training set; what is drawn depends on (seed, epoch, item) alone.
    slices: their B rows of the store.
    """
    for place, item in enumerate(items.tolist()):
        rng = make_generator(seed, RandomStream.GRAFTS, epoch, item)
        if (images.targets[place] != 0).any() or rng.random() >= share:
            continue
        grafted = grafts.paint(images.hu[place], slices.row(place, named=True), rng)
        if grafted is None:
            continue
        images.hu[place] = grafted.values
        images.targets[place, [grafts.findings.index(name) for name in grafted.findings]] = 1
        if images.masks.shape[1]:
            images.masks[place] = grafted.masks
            images.mask_known[place] = True


def odds_without_grafts(positives: int, negatives: int, share: float) -> float:
    """Compute the factor of the odds of a finding that undoes the grafts of an epoch: by Bayes,
    from (positives + share * negatives) to (1 - share) * negatives back to positives to negatives.

    1 where there is no positive: what grafts are to patients is then not known.
    """
    if positives == 0:
        return 1.0
    return positives * (1 - share) / (positives + share * negatives)
