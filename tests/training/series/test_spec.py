"""tests/training/series/test_spec.py: what all code may ask of a task of whole series."""

from dataclasses import replace

import polars as pl
import pytest

from wetread.labels.exams import EXAM_COLUMNS
from wetread.labels.finding import Finding
from wetread.labels.table import LabelError
from wetread.study.boxes import PixelBox
from wetread.training.losses import plain_series_loss
from wetread.training.recipe_file import read_recipe
from wetread.training.series.spec import CropEncoder, SeriesSpec

IMAGE, STUDY = (Finding("spot"),), (Finding("grade", "study"), Finding("side", "study"))
SPEC = SeriesSpec(
    IMAGE, STUDY,
    tuple(CropEncoder(name, IMAGE, lambda image, study: image) for name in ("near", "far")),
    find_boxes=lambda hu: (PixelBox(0, 1, 0, 1), PixelBox(0, 2, 0, 2)),
    loss=lambda series: plain_series_loss,
    make_consistent=lambda image, study, starts: (image, study),
    broken_rules=lambda image, study, starts: [()] * len(study),
)  # fmt: skip


def rows(*images: tuple[str | None, ...]) -> pl.DataFrame:
    return pl.DataFrame(images, schema=dict.fromkeys(EXAM_COLUMNS, pl.String), orient="row")


def test_findings_of_images_stand_before_those_of_studies() -> None:
    assert [finding.name for finding in SPEC.findings] == ["spot", "grade", "side"]


def test_the_first_encoder_s_crop_is_the_store_and_others_are_named() -> None:
    assert SPEC.networks == ("near", "far")
    assert SPEC.crops.stores == ("store", "store-far")


def test_images_are_listed_by_their_exam_and_the_place_they_lie_in() -> None:
    listed = SPEC.exams(rows(("i", "r", "s", "/a/one.dcm"), ("j", "r", "s", "/a/all.zip")))
    assert listed.rows() == [("i", "r", "s", "/a"), ("j", "r", "s", "/a/all.zip")]


def test_series_without_a_name_of_their_own_are_refused() -> None:
    SPEC.check_images(rows(("i", "0", "0", "/a/1.dcm"), ("j", "0", "0", "/a/2.dcm")))
    with pytest.raises(LabelError, match="stands in 2 places"):
        SPEC.check_images(rows(("i", "0", "0", "/a/1.dcm"), ("j", "0", "0", "/b/2.dcm")))
    with pytest.raises(ValueError, match=r"/a/1\.dcm: no SeriesInstanceUID \(1 such images\)"):
        SPEC.check_images(rows(("i", None, "s", "/a/1.dcm")))


def test_a_recipe_without_a_network_over_series_is_refused() -> None:
    with pytest.raises(ValueError, match="the task judges whole series"):
        SPEC.check_recipe(read_recipe("compact"))
    with pytest.raises(ValueError, match="nothing is drawn; set none"):
        SPEC.check_recipe(read_recipe("embolism-compact"))
    SPEC.check_recipe(read_recipe("embolism-compact", ["decoder=none"]))
    with pytest.raises(ValueError, match="none are painted into whole series"):
        SPEC.check_recipe(read_recipe("embolism-compact", ["decoder=none", "grafts.share=0.1"]))
    with pytest.raises(ValueError, match="crop = 'region'"):
        SPEC.check_recipe(read_recipe("embolism-compact", ["decoder=none", "crop=region"]))


def test_encoders_learn_phantoms_without_the_network_over_them() -> None:
    recipe = read_recipe("embolism-compact", ["folds=3"])
    first = replace(SPEC).phantom_recipe(recipe)
    assert (first.series.network, first.joint.epochs, first.folds) == ("none", 0, 3)
    assert first.epochs == recipe.phantoms.epochs


def test_heads_of_slices_need_studies_that_are_as_their_worst_slice() -> None:
    recipe = read_recipe("compact", ["series.network=gru", 'series.heads=["network", "slices"]'])
    with pytest.raises(ValueError, match="labels of their own"):
        SPEC.check_recipe(recipe)
    replace(SPEC, study_from_images=True).check_recipe(recipe)


@pytest.mark.parametrize("heads", ['["slices"]', '["network", "slices", "slices"]'])
def test_the_network_is_the_first_head_and_each_stands_once(heads: str) -> None:
    with pytest.raises(ValueError, match="network first, each once"):
        read_recipe("compact", [f"series.heads={heads}"])
