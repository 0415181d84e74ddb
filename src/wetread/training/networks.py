"""training/networks.py: what reading asks of networks that were kept, whoever computes them.

A run's networks are torch's (training/run.py), a bundle's onnxruntime's
(prediction/onnx_networks.py).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple, Protocol, Self

from wetread.archive.types import Float32Array, Float64Array, Int64Array
from wetread.training.recipe import Recipe
from wetread.training.series.heads import WeightedHeads
from wetread.training.slices.source import SliceSource
from wetread.view.view import View

PackedRow = tuple[bytes, ...]  # the M maps of one slice, packed as training/mask_table.py does


class SliceBatch(NamedTuple):
    """Outputs of a network for a batch of B slices.

    logits: (B, F) float64, the mean over image and mirror image where both are read.
    masks:  (B, M, h, w) float32 probabilities; None where the network draws none.
    apart:  (B, F) float64, the standard deviation of the two logits; 0 where one is read.
    """

    logits: Float64Array
    masks: Float32Array | None
    apart: Float64Array


class PooledNetwork(Protocol):
    """A network whose maps tell a study that is unlike what was learned."""

    def pooled_maps(self, source: SliceSource, rows: Int64Array) -> Iterator[Float32Array]:
        """Yield mean and deviation of the maps (models/pooled_maps.py) of rows (N,), (B, D)
        each."""


class SliceNetwork(PooledNetwork, Protocol):
    """A network of slices.

    findings:      F names, in the order of its logits; mask_findings: M, of the masks it draws.
    negative_rate: the share of slices without finding in an epoch, for undo_balance.
    epoch:         that was kept.
    batch_key:     networks that are equal in it can read the same batch.
    """

    @property
    def findings(self) -> tuple[str, ...]: ...
    @property
    def mask_findings(self) -> tuple[str, ...]: ...
    @property
    def view(self) -> View: ...
    @property
    def recipe(self) -> Recipe: ...
    @property
    def negative_rate(self) -> float: ...
    @property
    def epoch(self) -> int: ...
    @property
    def batch_key(self) -> Hashable: ...

    def read(
        self, networks: Sequence[Self], source: SliceSource, rows: Int64Array, mirror: Sequence[int]
    ) -> Iterator[tuple[SliceBatch, ...]]:
        """Yield logits and masks of rows (N,) by each of some networks that read together, the
        means over image and mirror image; mirror: (F,) each finding's twin when left and right
        change places."""

    def digest(self) -> bytes:
        """Digest its weights and view: what is kept of its features is named by it."""

    def extract(
        self, keys: Sequence[tuple[Self, bool]], source: SliceSource, rows: Int64Array, kind: str
    ) -> list[Float32Array]:
        """Compute features of a kind (models/features.py) of rows (N,) by each of some networks
        that read together, as they are or mirrored: (N, D) each."""

    def extract_with_maps(
        self, keys: Sequence[tuple[Self, bool]], source: SliceSource, rows: Int64Array
    ) -> tuple[list[PackedRow], list[Float32Array]]:
        """Compute features of kind "drawn" as extract does, and of each row the packed mean of what
        the networks draw."""

    def logits_of_features(self, features: Float32Array, kind: str) -> Float32Array:
        """Compute its logits (N, F) by its features (N, D) of a kind."""

    def heat_map(self, source: SliceSource, row: int, column: int) -> Float32Array | None:
        """Compute where a slice speaks for an output: (h, w) float32 >= 0; None where the network
        has no gradients to tell it by."""


class SeriesNetworks(Protocol):
    """Encoders, in the order of their crops, and the network over their features.

    blend: of the network with other heads; None: the network alone judges.
    """

    @property
    def encoders(self) -> Sequence[SliceNetwork]: ...
    @property
    def recipe(self) -> Recipe: ...
    @property
    def blend(self) -> WeightedHeads | None: ...

    def sequence_logits(self, inputs: Float32Array) -> tuple[Float64Array, Float64Array]:
        """Predict logits (L, I) and (S,) of one series, inputs (L, D)."""
