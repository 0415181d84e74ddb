"""training/slices/identity.py: data and settings that a training was begun with, as digests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from wetread.store.store import digest_of
from wetread.training.checkpoint import TrainingIdentity, learned_settings
from wetread.training.recipe import Recipe
from wetread.training.slices.batches import TrainSet
from wetread.training.slices.source import SliceSource


def slice_identity(data: TrainSet, recipe: Recipe, findings: Sequence[str]) -> TrainingIdentity:
    """Identify a training by its slices, their targets, its outputs and its settings."""
    return TrainingIdentity(
        settings=learned_settings(recipe),
        data=targets_digest(data),
        findings=tuple(findings),
        pixels=pixels_digest(data.source),
    )


def pixels_digest(source: SliceSource) -> str | None:
    """Digest what all slices of the source show, neighbors of the learned ones included; None
    where the source does not know."""
    slices = source.slices
    if "digest" not in slices.columns or slices["digest"].null_count():
        return None
    return digest_of(slices)


def targets_digest(data: TrainSet) -> str:
    """Digest which slices are learned, with which targets, weights and masks."""
    digest = hashlib.sha256()
    ids = data.source.slices
    if "SOPInstanceUID" in ids.columns:
        digest.update("\n".join(ids["SOPInstanceUID"].gather(data.rows).to_list()).encode())
    for array in (data.rows, data.targets, data.weights, data.mirror):
        digest.update(np.ascontiguousarray(array).tobytes())
    if data.masks is not None:
        digest.update(data.masks.known.tobytes())
        for row in data.masks.blobs:
            digest.update(b"".join(row))
    if data.mixed is not None:
        digest.update(targets_digest(data.mixed).encode())
    return digest.hexdigest()
