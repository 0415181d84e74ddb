"""prediction/onnx_networks.py: networks of a bundle, computed by onnxruntime on the CPU."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from wetread.archive.types import Float32Array, Float64Array, Int64Array
from wetread.training.mask_table import pack_map
from wetread.training.networks import PackedRow, SliceBatch
from wetread.training.recipe import Recipe
from wetread.training.series.heads import WeightedHeads
from wetread.training.slices.batches import neighbor_rows, read_ahead, read_with_neighbors
from wetread.training.slices.source import SliceSource
from wetread.view.view import View

BATCH = 8  # images of 256 x 256 pixels; what a layer leaves is in the cache for the next

Outputs = Mapping[str, Float32Array]  # of a graph, by name


def _import_onnxruntime() -> Any:
    """Import onnxruntime, of the extra `onnx`. ValueError where it is not installed."""
    try:
        return import_module("onnxruntime")
    except ImportError as error:
        raise ValueError(
            "a bundle is read by the package onnxruntime: pip install 'wetread[onnx]', from a "
            "checkout pip install -e '.[onnx]'"
        ) from error


@dataclass(frozen=True, eq=False)
class OnnxGraph:
    """A graph in a file. Each call runs on one thread; several may call at a time."""

    file: Path

    @cached_property
    def _session(self) -> Any:
        onnxruntime = _import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
        options.log_severity_level = 3  # errors alone
        return onnxruntime.InferenceSession(
            str(self.file), options, providers=["CPUExecutionProvider"]
        )

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(output.name for output in self._session.get_outputs())

    def run(self, **inputs: Float32Array) -> Outputs:
        """Compute the graph's outputs, by name."""
        return dict(zip(self._names, self._session.run(None, inputs), strict=True))

    def over_rows(
        self, source: SliceSource, rows: Int64Array, view: View, readers: int
    ) -> Iterator[Outputs]:
        """Yield the outputs of rows (N,) of a source, batch by batch in order."""
        _ = self._session  # made once, before threads ask for it
        step = max(1, min(BATCH, BATCH * 256**2 // view.size**2))
        around = neighbor_rows(source.slices, rows, view)
        parts = [around[i : i + step] for i in range(0, len(rows), step)]

        def make(number: int) -> Outputs:
            """Compute a batch."""
            hu = read_with_neighbors(source, parts[number])
            return self.run(hu=hu.astype(np.float32, copy=False))

        yield from read_ahead(make, range(len(parts)), readers)


@dataclass(frozen=True, eq=False)
class OnnxPooled:
    """The graph of a network's pooled maps, by which studies unlike those learned are told."""

    graph: OnnxGraph
    view: View
    readers: int

    def pooled_maps(self, source: SliceSource, rows: Int64Array) -> Iterator[Float32Array]:
        """Yield mean and deviation of the maps of rows (N,), (B, D) each."""
        for outputs in self.graph.over_rows(source, rows, self.view, self.readers):
            yield outputs["pooled"]


@dataclass(frozen=True, eq=False)
class OnnxNetwork:
    """A network of slices of a bundle, as training/networks.py's SliceNetwork.

    graph:  hu -> logits, mirrored[, masks]; of an encoder features, mirrored[, maps,
            mirrored_maps].
    weight, bias: (F, D) and (F,) of an encoder's last layer, where its features are the inputs of
            that.
    weights_digest: of weights and view of the network that was exported.
    """

    graph: OnnxGraph
    findings: tuple[str, ...]
    mask_findings: tuple[str, ...]
    view: View
    recipe: Recipe
    negative_rate: float
    epoch: int
    weights_digest: str
    weight: Float32Array | None = None
    bias: Float32Array | None = None

    @property
    def batch_key(self) -> Hashable:
        """Each network reads by itself; what several draw is averaged where they have one view."""
        return self.view

    def read(
        self,
        networks: Sequence[OnnxNetwork],
        source: SliceSource,
        rows: Int64Array,
        mirror: Sequence[int],
    ) -> Iterator[tuple[SliceBatch, ...]]:
        """Yield logits and masks of rows (N,) by each network, the means over image and mirror
        image, by the twins of findings that the graphs were exported with."""
        streams = [network._over_rows(source, rows) for network in networks]
        for batches in zip(*streams, strict=True):
            yield tuple(map(_slice_batch, batches))

    def pooled_maps(self, source: SliceSource, rows: Int64Array) -> Iterator[Float32Array]:
        """Raise ValueError: a bundle has a graph of its own for this."""
        raise ValueError(f"{self.graph.file}: it gives logits, and no maps")

    def digest(self) -> bytes:
        """Digest weights and view; features by onnxruntime are not those by torch to the bit."""
        return f"onnx {self.weights_digest}".encode()

    def extract(
        self,
        keys: Sequence[tuple[OnnxNetwork, bool]],
        source: SliceSource,
        rows: Int64Array,
        kind: str,
    ) -> list[Float32Array]:
        """Compute features (N, D) of rows (N,) by each network, as they are or mirrored."""
        found: dict[tuple[OnnxNetwork, bool], Float32Array] = {}
        for network in dict.fromkeys(one for one, _ in keys):
            batches = [
                (batch["features"], batch["mirrored"]) for batch in network._over_rows(source, rows)
            ]
            for mirrored, sides in zip((False, True), zip(*batches, strict=True), strict=True):
                found[network, mirrored] = np.concatenate(sides)
        return [found[key] for key in keys]

    def extract_with_maps(
        self, keys: Sequence[tuple[OnnxNetwork, bool]], source: SliceSource, rows: Int64Array
    ) -> tuple[list[PackedRow], list[Float32Array]]:
        """Compute features as extract does, and of each row the packed mean of what is drawn."""
        networks = dict.fromkeys(one for one, _ in keys)
        streams = [network._over_rows(source, rows) for network in networks]
        maps: list[PackedRow] = []
        features: list[list[Float32Array]] = [[] for _ in keys]
        for batches in zip(*streams, strict=True):
            of = dict(zip(networks, batches, strict=True))
            for each, (network, mirrored) in zip(features, keys, strict=True):
                each.append(of[network]["mirrored" if mirrored else "features"])
            drawn = [of[network]["mirrored_maps" if side else "maps"] for network, side in keys]
            maps += [tuple(map(pack_map, row)) for row in np.mean(drawn, axis=0)]
        return maps, [np.concatenate(each) for each in features]

    def logits_of_features(self, features: Float32Array, kind: str) -> Float32Array:
        """Compute the logits (N, F) by features (N, D) of a kind (models/features.py)."""
        if kind != "last":
            return features[:, : len(self.findings)]
        if self.weight is None or self.bias is None:
            raise ValueError(f"{self.graph.file}: the last layer of its network is not known")
        return np.asarray(features @ self.weight.T + self.bias, np.float32)

    def heat_map(self, source: SliceSource, row: int, column: int) -> None:
        """Return None: a graph has no gradients."""

    def _over_rows(self, source: SliceSource, rows: Int64Array) -> Iterator[Outputs]:
        return self.graph.over_rows(source, rows, self.view, self.recipe.runtime.readers)


def _slice_batch(outputs: Outputs) -> SliceBatch:
    logits, mirrored = (outputs[name].astype(np.float64) for name in ("logits", "mirrored"))
    return SliceBatch((logits + mirrored) / 2, outputs.get("masks"), np.abs(logits - mirrored) / 2)


@dataclass(frozen=True, eq=False)
class OnnxSeries:
    """Encoders of a bundle and the network over their features, as SeriesNetworks."""

    encoders: tuple[OnnxNetwork, ...]
    graph: OnnxGraph
    recipe: Recipe
    blend: WeightedHeads | None

    def sequence_logits(self, inputs: Float32Array) -> tuple[Float64Array, Float64Array]:
        """Predict logits (L, I) and (S,) of one series, inputs (L, D)."""
        outputs = self.graph.run(inputs=np.ascontiguousarray(inputs[None], np.float32))
        return outputs["image"][0].astype(np.float64), outputs["study"][0].astype(np.float64)
