"""prediction/provenance.py: what made a reading, as plain values for JSON."""

from __future__ import annotations

from pathlib import Path

from wetread.archive.types import JsonObject
from wetread.archive.version import VERSION
from wetread.prediction.operating import describe_point
from wetread.prediction.readers import Reader
from wetread.training.about import REFIT


def provenance(reader: Reader) -> JsonObject:
    """Return what made a reading: version, checkpoints, their view of a slice, averaging."""
    ensemble = reader.ensemble
    return {
        "wetread": VERSION,
        "task": ensemble.task,
        "models": [
            {
                "checkpoint": within_run(member.checkpoint),
                "epoch": member.model.epoch,
                "encoder": member.model.recipe.encoder,
            }
            for member in ensemble.members
        ],
        "view": ensemble.members[0].model.view.to_dict(),
        **reader.averaging,
        **ensemble.scalings.to_dict(),
        "run_weights": None if ensemble.run_weights is None else ensemble.run_weights.to_dict(),
        "operating_point": None if ensemble.point is None else describe_point(ensemble.point),
        **({} if ensemble.bundle is None else {"bundle": ensemble.bundle}),
        "note": "research use only, not for diagnosis",
    }


def within_run(checkpoint: Path) -> str:
    """Return a checkpoint's path from the run's folder on."""
    parts = checkpoint.parts
    ours = [name.startswith("model-") or name == REFIT for name in parts]
    model = max(place for place, is_ours in enumerate(ours) if is_ours)
    return "/".join(parts[max(model - 1, 0) :])
