"""models/boosted_trees.py: gradient-boosted trees, fitted by scikit-learn, kept as plain arrays.

scikit-learn's own file is a pickle, which runs whatever it holds and fits one version; the nodes of
its trees are a few numbers each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from wetread.archive.types import Float64Array, Int64Array

COLUMNS = (
    "feature_idx",
    "num_threshold",
    "missing_go_to_left",
    "left",
    "right",
    "is_leaf",
    "value",
)


@dataclass(frozen=True, eq=False)
class BoostedTrees:
    """Trees whose values add up to the logit of one finding.

    start: the logit before the first tree.
    first: (T + 1,) where the nodes of each of T trees begin; the last is their number.
    nodes: (nodes, 7) float64, columns as COLUMNS; children are counted from the tree's first node.
    """

    start: float
    first: Int64Array
    nodes: Float64Array

    def logits(self, features: Float64Array) -> Float64Array:
        """Compute the logits (N,) of features (N, D); NaN goes where it went in training."""
        total = np.full(len(features), self.start)
        everyone = np.arange(len(features))
        for low, high in zip(self.first[:-1], self.first[1:], strict=True):
            tree = self.nodes[low:high]
            at = np.zeros(len(features), np.int64)
            while not (leaf := tree[at, 5] > 0).all():
                value = features[everyone, tree[at, 0].astype(np.int64)]
                left = np.where(np.isnan(value), tree[at, 2] > 0, value <= tree[at, 1])
                below = np.where(left, tree[at, 3], tree[at, 4]).astype(np.int64)
                at = np.where(leaf, at, below)
            total += tree[at, 6]
        return total

    def to_arrays(self) -> dict[str, Float64Array | Int64Array]:
        """Return start (1,), first (T + 1,) and nodes (n, 7) by name, for a file."""
        return {"start": np.array([self.start]), "first": self.first, "nodes": self.nodes}


def trees_of_arrays(arrays: Mapping[str, Float64Array | Int64Array]) -> BoostedTrees:
    """Make trees of the arrays that to_arrays gave: start (1,), first (T + 1,), nodes (n, 7).
    ValueError where they cannot be walked to a leaf."""
    first = np.asarray(arrays["first"], np.int64)
    nodes = np.asarray(arrays["nodes"], np.float64)
    sizes = np.diff(first)
    if first[0] != 0 or (sizes < 1).any() or first[-1] != len(nodes) or nodes.shape[1:] != (7,):
        raise ValueError("arrays of trees that do not belong to each other")
    inner = nodes[:, 5] == 0
    place = np.arange(len(nodes)) - np.repeat(first[:-1], sizes)
    for child in (nodes[:, 3], nodes[:, 4]):  # below its parent: every walk ends
        if ((child <= place) | (child >= np.repeat(sizes, sizes)))[inner].any():
            raise ValueError("a tree whose nodes do not lead to a leaf")
    return BoostedTrees(float(arrays["start"][0]), first, nodes)
