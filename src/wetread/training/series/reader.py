"""training/series/reader.py: encoders and the sequence network over them, written and read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from wetread.archive.files.damaged import expect_form
from wetread.archive.files.json_file import read_json
from wetread.archive.types import Float32Array, JsonObject
from wetread.labels.finding import finding_names
from wetread.models.sequence import LinearSkip
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import check_recipe
from wetread.training.run import Run
from wetread.training.series.heads import SeriesLogits, WeightedHeads, read_heads
from wetread.training.series.sequence_fit import (
    BEST,
    NetworkShape,
    StandardizedNetwork,
    new_network,
    series_logits,
)
from wetread.training.series.spec import SeriesSpec
from wetread.training.trained_model import TrainedModel, read_trained_model

WANTED = "the description of a series reader, which wetread train writes; train again"
MOST_INPUTS, MOST_ENCODERS = 1 << 16, 16
SERIES_FILE, JOINT_FOLDER = "series.json", "together"


@dataclass(frozen=True, eq=False)
class SeriesModel:
    """Encoders, in the order of their crops, and the network over them, that read a whole series.

    image, study: names of its outputs of slices and of studies.
    blend: of the network with other heads; None: the network alone judges.
    """

    encoders: tuple[TrainedModel, ...]
    network: nn.Module
    image: tuple[str, ...]
    study: tuple[str, ...]
    recipe: Recipe
    blend: WeightedHeads | None = None

    def sequence_logits(self, inputs: Float32Array) -> SeriesLogits:
        """Predict logits (L, I) and (S,) of one series, inputs (L, D)."""
        return series_logits(self.network, inputs, self.recipe)


def describe_series_model(spec: SeriesSpec, network: nn.Module, recipe: Recipe) -> JsonObject:
    """Describe, for series.json, all that is needed to build the network again."""
    assert isinstance(network, StandardizedNetwork)
    return {
        "looks": [encoder.name for encoder in spec.encoders],
        "image": list(finding_names(spec.image_findings)),
        "study": list(finding_names(spec.study_findings)),
        "inputs": len(network.mean),
        "overall": network.network.overall if isinstance(network.network, LinearSkip) else 0,
        "together": recipe.joint.epochs > 0,
        "recipe": recipe.model_dump(mode="json"),
    }


def read_series_model(folder: Path) -> SeriesModel:
    """Read what fit.py wrote into a part's folder. ValueError where it is not whole."""
    file = folder / SERIES_FILE
    if not file.is_file():
        raise ValueError(f"{file}: not there; the training has not ended, run it again")
    about = read_json(file, WANTED, {"recipe": dict, "inputs": int, "image": list, "study": list})
    with expect_form(file, WANTED, RuntimeError):
        return _series_model(about, folder, file)


def _series_model(about: JsonObject, folder: Path, file: Path) -> SeriesModel:
    if not 0 < about["inputs"] <= MOST_INPUTS or len(about["looks"]) > MOST_ENCODERS:
        raise ValueError(f"{about['inputs']} inputs")
    recipe = check_recipe(about["recipe"], f"{file} (its recipe)")
    shape = NetworkShape(
        about["inputs"], len(about["image"]), len(about["study"]), about["overall"]
    )
    network = new_network(recipe, shape)
    kept = folder / JOINT_FOLDER if about["together"] else folder
    network.load_state_dict(Run(kept).read(BEST)["model"])
    return SeriesModel(
        encoders=tuple(read_trained_model(kept / name) for name in about["looks"]),
        network=network.eval(),
        image=tuple(about["image"]),
        study=tuple(about["study"]),
        recipe=recipe,
        blend=read_heads(folder),
    )
