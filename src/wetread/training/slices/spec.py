"""training/slices/spec.py: how a task whose findings are of single slices is learned, as a value.

It has the attributes and methods of training/series/spec.py, so that no one need ask which it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from wetread.archive.types import Float32Array, Float64Array
from wetread.evaluation.baselines import histogram_features
from wetread.labels.finding import Finding
from wetread.labels.table import EXAM_SCHEMA
from wetread.store.pack_series import FindBox, OneBox
from wetread.training.crops import Crops, FindInside
from wetread.training.measures import MaskMeasure
from wetread.training.phantom_recipe import phantom_recipe
from wetread.training.slices.grafts import PaintGraft
from wetread.view.augment import Strengths

if TYPE_CHECKING:  # a task is a value that loads no torch
    from wetread.training.recipe import Recipe


@dataclass(frozen=True)
class SliceSpec:
    """Findings of slices, one network for them; a study has the largest value of its slices.

    network:        its name.
    image_findings: its outputs, in their order.
    find_box:       values (Z, rows, columns) of a series -> the crop, in source pixels.
    drawn:          findings of level pixel that a network with a decoder draws; a run gives their
                    masks.
    histogram:      values of a slice -> features without a place, for the baseline.
    find_region:    as find_box, the smaller crop of where findings can lie; None: there is none.
    inside:         where in values (rows, columns) of a slice so cropped findings can lie: nothing
                    is drawn beyond; None: anywhere.
    paint_graft:    paints a lesion of known truth into a slice without any; None: none can be.
    obey:           level and probabilities (N, F) -> answers that obey the task's rules; None: it
                    has none.
    measures:       numbers that are reported of what is drawn in the slices of a series.
    other_scanners: how far the images of other scanners may differ from phantoms: a network that
                    learned phantoms alone is calibrated on phantoms so changed; None: it is not.
    """

    network: str
    image_findings: tuple[Finding, ...]
    find_box: FindBox
    drawn: tuple[Finding, ...] = ()
    histogram: Callable[[Float32Array], Float32Array] = histogram_features
    find_region: FindBox | None = None
    inside: FindInside | None = None
    paint_graft: PaintGraft | None = None
    measures: tuple[MaskMeasure, ...] = ()
    other_scanners: Strengths | None = None
    obey: Callable[[str, Float64Array], Float64Array] | None = None

    official_levels: ClassVar[tuple[str, ...]] = ("image", "study")  # of the weighted log loss
    curve_levels: ClassVar[tuple[str, ...]] = ("image",)  # levels with findings of their own
    study_labels: ClassVar[bool] = False

    @property
    def study_findings(self) -> tuple[Finding, ...]:
        """The findings of a study: those of its slices."""
        return self.image_findings

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, in the column order of files and pages."""
        return self.image_findings

    @property
    def findings_drawn(self) -> tuple[Finding, ...]:
        """Findings of level pixel that its networks draw, where the recipe has a decoder."""
        return self.drawn

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of the networks of slices."""
        return (self.network,)

    @property
    def crops(self) -> Crops:
        """The one crop that is packed of a series."""
        return Crops(("store",), OneBox(self.find_box))

    def check_images(self, images: pl.DataFrame) -> None:
        """Accept all images: slices are read whatever they call their study."""

    def exams(self, images: pl.DataFrame) -> pl.DataFrame:
        """No exams, EXAM_SCHEMA: a submission has images alone."""
        return pl.DataFrame(schema=EXAM_SCHEMA)

    def for_recipe(self, recipe: Recipe) -> SliceSpec:
        """Return the spec with the crop that a recipe names, and its limit of what is drawn."""
        if recipe.crop == "task":
            return self if self.inside is None else replace(self, inside=None)
        return self if self.find_region is None else replace(self, find_box=self.find_region)

    def check_recipe(self, recipe: Recipe) -> None:
        """Raise ValueError where a recipe is for whole series, or draws or paints what there is
        not."""
        if recipe.series.network != "none":
            raise ValueError(
                f"series.network = {recipe.series.network!r}: the task judges slices; set none"
            )
        if recipe.decoder != "none" and not self.drawn:
            raise ValueError(
                f"decoder = {recipe.decoder!r}: the task has nothing to draw; set none"
            )
        if recipe.crop == "region" and self.find_region is None:
            raise ValueError("crop = 'region': the task knows no region of its findings; set task")
        if recipe.grafts.share and self.paint_graft is None:
            raise ValueError(
                f"grafts.share = {recipe.grafts.share}: the task paints no lesions; set 0"
            )

    def phantom_recipe(self, recipe: Recipe) -> Recipe:
        """The settings under which the recipe's phantoms are learned, with their masks."""
        drawing = {"decoder": "unet"} if self.drawn and recipe.phantoms.masks else {}
        alone = {"folds": 0, "pretrained": False, "negatives_per_positive": 1.0}
        return phantom_recipe(recipe, {**alone, **drawing})
