"""tests/training/slices/test_spec.py: what all code may ask of a task of slices."""

from dataclasses import fields, replace

import polars as pl
import pytest

from wetread.labels.finding import Finding
from wetread.labels.table import EXAM_SCHEMA
from wetread.study.boxes import PixelBox
from wetread.study.crop import whole_picture
from wetread.study.slice_sequence import SliceSequence
from wetread.training.recipe_file import read_recipe
from wetread.training.series.spec import SeriesSpec
from wetread.training.slices.spec import SliceSpec

SPEC = SliceSpec("net", (Finding("a"), Finding("b")), whole_picture)


def public(kind: type) -> set[str]:
    names = {name for name in dir(kind) if not name.startswith("_")}
    return names | {field.name for field in fields(kind)}


def test_slices_and_series_have_the_same_attributes_so_that_no_one_asks_which_it_is() -> None:
    of_slices, of_series = public(SliceSpec), public(SeriesSpec)
    own = {"network", "find_box", "find_region", "inside", "paint_graft", "other_scanners", "obey"}
    assert of_slices - of_series == own
    encoders_and_loss = {"encoders", "find_boxes", "loss", "make_consistent", "broken_rules"}
    encoders_and_loss |= {"study_from_images", "pool", "counted_truth"}
    assert of_series - of_slices == encoders_and_loss


def test_a_study_has_the_findings_of_its_slices() -> None:
    assert SPEC.study_findings == SPEC.image_findings == SPEC.findings
    assert SPEC.networks == ("net",)
    assert SPEC.crops.stores == ("store",)


def test_a_submission_of_slices_has_no_exams_whatever_their_studies_are_called() -> None:
    images = pl.DataFrame({"StudyInstanceUID": [None, "0"]}, schema={"StudyInstanceUID": pl.String})
    SPEC.check_images(images)
    assert SPEC.exams(images).schema == pl.Schema(EXAM_SCHEMA)
    assert SPEC.exams(images).is_empty()


def test_phantoms_of_what_can_be_drawn_are_learned_with_a_decoder() -> None:
    recipe = read_recipe("pneumothorax-small")
    drawing = replace(SPEC, drawn=(Finding("a", level="pixel"),))
    assert SPEC.phantom_recipe(recipe).decoder == "none"
    first = drawing.phantom_recipe(recipe)
    assert (first.decoder, first.folds, first.pretrained) == ("unet", 0, False)
    assert first.negatives_per_positive == 1.0


def test_a_recipe_that_reads_series_or_draws_is_refused() -> None:
    with pytest.raises(ValueError, match="the task judges slices; set none"):
        SPEC.check_recipe(read_recipe("embolism-compact"))
    with pytest.raises(ValueError, match="nothing to draw"):
        SPEC.check_recipe(read_recipe("compact", ["decoder=unet"]))


def test_grafts_are_refused_where_the_task_paints_none_and_left_out_of_phantoms() -> None:
    grafted = read_recipe("compact", ["grafts.share=0.2"])
    with pytest.raises(ValueError, match=r"grafts.share = 0.2: the task paints no lesions"):
        SPEC.check_recipe(grafted)
    painting = replace(SPEC, paint_graft=lambda values, about, rng: None)
    painting.check_recipe(grafted)
    assert painting.phantom_recipe(grafted).grafts.share == 0


def left_half(values: SliceSequence) -> PixelBox:
    return PixelBox(0, values.shape[1], 0, values.shape[2] // 2)


def test_a_recipe_may_crop_to_the_region_of_the_findings_where_the_task_knows_one() -> None:
    as_task, in_region = (read_recipe("compact", [f"crop={crop}"]) for crop in ("task", "region"))
    spec = replace(SPEC, find_region=left_half)
    spec.check_recipe(in_region)
    assert spec.for_recipe(as_task) is spec
    assert spec.for_recipe(in_region).find_box is left_half
    assert spec.phantom_recipe(in_region).crop == "region"
    limited = replace(spec, inside=lambda values: values > 0)
    assert limited.for_recipe(as_task).inside is None
    assert limited.for_recipe(in_region).inside is limited.inside
    with pytest.raises(ValueError, match="knows no region of its findings"):
        SPEC.check_recipe(in_region)
