"""training/series/heads.py: several heads judge the slices of a series; their weights, and files.

network   the network over the series
slices    the encoder alone, slice by slice, smoothed along the series
boosting  boosted trees over the encoder's probabilities of a slice and its neighbors
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit

from wetread.archive.files.atomic import write_whole
from wetread.archive.files.damaged import expect_form
from wetread.archive.types import Float64Array
from wetread.evaluation.aggregate import smooth_along_z, study_maximum
from wetread.evaluation.metrics import weighted_log_loss
from wetread.models.boosted_trees import BoostedTrees, trees_of_arrays
from wetread.training.series.neighborhood import neighborhood_features
from wetread.training.series.series import Series

FILE = "heads.npz"
WANTED = "the weights of a series reader's heads, which wetread train writes; train again"
STEPS = 4  # of a weight, from 0 to 1
FEWEST = 5  # positive slices of a finding, to choose its own weights by
CLIP = 1e-4  # of probabilities that become logits again
SeriesLogits = tuple[Float64Array, Float64Array]  # of N slices (N, F), and of E studies (E, F)


@dataclass(frozen=True, eq=False)
class WeightedHeads:
    """Weights of heads, whose logits are averaged.

    heads:  H names, the network first.
    image:  (F, H), of the slices' findings.
    study:  weight of the network's own answer about a study, the rest is of its worst slice.
    trees:  F, where boosting is one of the heads.
    """

    heads: tuple[str, ...]
    image: Float64Array
    study: float
    trees: tuple[BoostedTrees, ...]

    def to_arrays(self) -> dict[str, Any]:
        """Return names and weights as arrays by name, for a file."""
        arrays = {"heads": np.array(self.heads), "image": self.image}
        arrays["study"] = np.array([self.study])
        for number, trees in enumerate(self.trees):
            arrays |= {f"{name}-{number}": array for name, array in trees.to_arrays().items()}
        return arrays

    def blend(self, network: SeriesLogits, slices: Float64Array, series: Series) -> SeriesLogits:
        """Blend what the network over the series gives with the other heads, made of the
        probabilities (N, F) of the encoder alone."""
        logits = head_logits(self.heads, network[0], slices, series, self.trees)
        return self.apply(logits, network[1], series)

    def apply(self, logits: Float64Array, study: Float64Array, series: Series) -> SeriesLogits:
        """Blend logits (H, N, F) of the slices and study (E, F) of the network's studies."""
        image = np.einsum("hnf,fh->nf", logits, self.image)
        return image, self.study * study + (1 - self.study) * worst_slices(image, series)


def head_logits(
    heads: Sequence[str],
    network: Float64Array,
    slices: Float64Array,
    series: Series,
    trees: Sequence[BoostedTrees],
) -> Float64Array:
    """Compute the logits (H, N, F) of each head; network: (N, F) of the network over the series,
    slices: probabilities (N, F) of the encoder alone."""

    def of_head(head: str) -> Float64Array:
        """Logits (N, F)."""
        if head == "network":
            return network
        if head == "slices":
            return _logit(smooth_along_z(slices, series.series_of_slices(), series.position_mm))
        features = neighborhood_features(slices, series.starts)
        return _logit(expit(np.stack([one.logits(features) for one in trees], axis=1)))

    return np.stack([of_head(head) for head in heads])


def choose_weights(
    logits: Float64Array,
    study: Float64Array,
    series: Series,
    *,
    heads: tuple[str, ...],
    weights: Float64Array,
    trees: tuple[BoostedTrees, ...],
) -> WeightedHeads:
    """Choose by the log loss of series that no head was fitted on: logits (H, N, F) of their
    slices, study (E, F) by the network. A finding with few positive slices gets the weights that
    suit all findings best.

    weights: (F,) of the findings in the loss.
    """
    count = len(weights)
    shares = _simplex(len(heads))

    def best(columns: slice) -> Float64Array:
        """Find the weights (H,) of least loss over some findings."""
        truth = series.image[:, columns]
        losses = [
            weighted_log_loss(
                truth, expit(np.tensordot(share, logits[..., columns], 1)), weights[columns]
            )
            for share in shares
        ]
        known = not np.isnan(losses).all()
        chosen: Float64Array = shares[int(np.nanargmin(losses))] if known else shares.mean(axis=0)
        return chosen

    general = best(slice(None))
    enough = np.nansum(series.image, axis=0) >= FEWEST
    image = np.stack([best(slice(f, f + 1)) if enough[f] else general for f in range(count)])
    blend = WeightedHeads(heads, image, 0.0, trees)
    worst = blend.apply(logits, study, series)[1]
    parts = np.linspace(0, 1, STEPS + 1)
    losses = [
        weighted_log_loss(series.study, expit(part * study + (1 - part) * worst), weights)
        for part in parts
    ]
    chosen = float(parts[int(np.nanargmin(losses))]) if not np.isnan(losses).all() else 0.5
    return WeightedHeads(heads, image, chosen, trees)


def equal_weights(
    heads: tuple[str, ...], findings: int, trees: tuple[BoostedTrees, ...]
) -> WeightedHeads:
    """Weigh all heads alike: where no series is left to choose by."""
    return WeightedHeads(heads, np.full((findings, len(heads)), 1 / len(heads)), 0.5, trees)


def worst_slices(image: Float64Array, series: Series) -> Float64Array:
    """Find the largest of the slices' logits (N, F) in each series, (E, F)."""
    return study_maximum(image, series.series_of_slices())[1]


def write_heads(folder: Path, blend: WeightedHeads) -> None:
    """Write the blend into a part's folder."""
    file = BytesIO()
    np.savez(file, **blend.to_arrays())
    write_whole(folder / FILE, file.getvalue())


def read_heads(folder: Path) -> WeightedHeads | None:
    """Read what write_blend wrote; None where there is none."""
    if not (folder / FILE).is_file():
        return None
    with expect_form(folder / FILE, WANTED), np.load(folder / FILE) as arrays:
        return heads_of(arrays)


def heads_of(arrays: Mapping[str, Any]) -> WeightedHeads:
    """Make the blend of the arrays that to_arrays gave. ValueError or KeyError where they are of
    another form."""
    heads, image = tuple(arrays["heads"].tolist()), arrays["image"]
    findings = range(len(image)) if "boosting" in heads else ()
    trees = (
        trees_of_arrays({name: arrays[f"{name}-{f}"] for name in ("start", "first", "nodes")})
        for f in findings
    )
    return WeightedHeads(heads, image, float(arrays["study"][0]), tuple(trees))


def _logit(probability: Float64Array) -> Float64Array:
    return np.asarray(logit(np.clip(probability, CLIP, 1 - CLIP)), np.float64)


def _simplex(heads: int) -> Float64Array:
    """List all weights in steps of 1 / STEPS that add up to 1, (combinations, heads)."""
    grid = product(range(STEPS + 1), repeat=heads)
    return np.array([share for share in grid if sum(share) == STEPS]) / STEPS
