"""prediction/provenance.py: what made a reading, as plain values for JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import wetread
from wetread.prediction.ensemble import Ensemble


def provenance(ensemble: Ensemble) -> dict[str, Any]:
    """Return what made a reading: version, checkpoints and their view of a slice."""
    first = ensemble.members[0].trained
    return {
        "wetread": wetread.__version__,
        "task": ensemble.task,
        "models": [
            {
                "checkpoint": _within_run(member.checkpoint),
                "epoch": member.trained.epoch,
                "encoder": member.trained.recipe.encoder,
            }
            for member in ensemble.members
        ],
        "view": first.view.to_dict(),
        **_how(ensemble),
        "note": "research use only, not for diagnosis",
    }


def _within_run(checkpoint: Path) -> str:
    """The path from the run's folder on."""
    parts = checkpoint.parts
    model = max(place for place, name in enumerate(parts) if name.startswith("model-"))
    return "/".join(parts[max(model - 1, 0) :])


def _how(ensemble: Ensemble) -> dict[str, Any]:
    """Return how the networks' probabilities were averaged or smoothed."""
    readers = [one.series for one in ensemble.members if one.series is not None]
    if readers:
        return {"flip_averaged": all(one.recipe.sequence_mirror for one in readers)}
    return {"flip_averaged": True, "slices_smoothed": "1-2-1 along the series"}
