"""tests/reports/test_given_cases.py: images of given data as pictures, right ones and wrong."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from wetread.labels.finding import Finding
from wetread.labels.rle import encode
from wetread.labels.table import LABEL_SCHEMA, MASK_SCHEMA, LabelTable, label_table
from wetread.reports.given_cases import CaseSources, given_cases, masks_by_image
from wetread.store.store import open_store
from wetread.training.predictions import LevelPredictions
from wetread.verbs.train.train import TrainResult
from wetread.view.window import BRAIN


@pytest.fixture
def images(one_split: TrainResult) -> LevelPredictions:
    """Six packed images of six studies, and one that was not packed; truth 1, 0, 1, 0 ..."""
    slices = open_store(one_split.run / "store").slices.unique("StudyInstanceUID", keep="first")
    rows = slices.sort("SOPInstanceUID").head(6)
    truth = np.array([[1.0], [0.0]] * 3 + [[1.0]])
    return LevelPredictions(
        level="image", split="given_data", findings=(Finding("any"),),
        ids=(*rows["SOPInstanceUID"], "elsewhere"), studies=(*rows["StudyInstanceUID"], "s"),
        patients=tuple("abcdefg"), rows=None, truth=truth,
        probability=np.linspace(0.9, 0.3, 7)[:, None], baselines={},
    )  # fmt: skip


def sources(one_split: TrainResult, truth: LabelTable | None = None) -> CaseSources:
    masks = {} if truth is None else masks_by_image(truth, "any")
    return CaseSources(open_store(one_split.run / "store"), (BRAIN,), {}, masks, {})


def test_packed_images_are_shown_by_how_they_were_read(
    one_split: TrainResult, images: LevelPredictions
) -> None:
    cases = given_cases(images, 0, sources(one_split))
    assert {case.group for case in cases} <= {
        "found",
        "least sure where it is",
        "surest where it is not",
    }
    assert sum(case.group == "surest where it is not" for case in cases) == 3
    assert not any("elsewhere" in case.where for case in cases)
    assert cases[0].title == "any: probability 0.90, in truth present"
    assert cases[0].panels[0].image.startswith(b"\x89PNG")


def test_a_known_mask_is_outlined_on_a_picture_of_its_own(
    one_split: TrainResult, images: LevelPredictions
) -> None:
    store = open_store(one_split.run / "store")
    row = store.slices.row(by_predicate=pl.col("SOPInstanceUID") == images.ids[0], named=True)
    mask = np.zeros((row["source_rows"], row["source_columns"]), bool)
    mask[20:60, 20:60] = True
    known = label_table(pl.DataFrame(schema=LABEL_SCHEMA))
    masks = pl.DataFrame(
        [(images.ids[0], "any", "relative", [encode(mask)])], schema=MASK_SCHEMA, orient="row"
    )
    table = LabelTable(known.frame, known.conflicts, 0, masks=masks)
    cases = given_cases(images, 0, sources(one_split, table))
    labels = {case.where: [panel.label for panel in case.panels] for case in cases}
    with_mask = [found for where, found in labels.items() if images.ids[0] in where]
    assert with_mask[0][-1] == "outlines: truth green, what was drawn orange"
    assert sum(found[-1].startswith("outlines") for found in labels.values()) == 1


def test_without_a_packed_image_there_is_no_picture(
    one_split: TrainResult, images: LevelPredictions
) -> None:
    strange = replace(images, ids=tuple(f"x{k}" for k in range(7)))
    assert given_cases(strange, 0, sources(one_split)) == ()
