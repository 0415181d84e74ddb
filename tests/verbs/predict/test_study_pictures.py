"""tests/verbs/predict/test_study_pictures.py: key slices as pictures, with words for them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wetread.evaluation.decision import MaskThresholds
from wetread.outputs.masks import describe_mask
from wetread.pages.readings_page import WorklistRow
from wetread.prediction.masks import DrawnMasks
from wetread.study.series_choice import SeriesScore
from wetread.training.mask_table import pack_map
from wetread.verbs.predict.read_archive import ReadArchive, archive_readings
from wetread.verbs.predict.study_pictures import PICTURES, StudyPictures, _measure_sentence

ROW = WorklistRow(1, "1.7", "read", "", (0.5,), 5, 1, 0)


def test_a_study_shows_its_first_key_slices_and_how_a_page_to_scroll_is_made(
    read_archive: ReadArchive, tmp_path: Path
) -> None:
    reading = archive_readings(read_archive, [])[0]
    entry = StudyPictures.of(tmp_path, read_archive, {}).study(reading, ROW)
    assert [key.uid for key in entry.key_slices] == list(reading.key_slices[:PICTURES])
    z = int(entry.key_slices[0].uid.rsplit(".")[-1])
    assert entry.key_slices[0].where == f"slice {z + 1} of 5, at {5 * z:.1f} mm"
    assert entry.key_slices[0].finding == "any"
    assert {panel.left for key in entry.key_slices for panel in key.panels} == {"R"}
    assert entry.command == "wetread scroll SRC --series 1.8.0 -o 1.7.html"
    assert entry.scroll == ""
    assert entry.notes[-1] == "1 file of it could not be read"
    (tmp_path / "scroll").mkdir()
    (tmp_path / "scroll" / "1.7.html").write_text("a page")
    entry = StudyPictures.of(tmp_path, read_archive, {}).study(reading, ROW)
    assert (entry.scroll, entry.command) == ("scroll/1.7.html", "")


@pytest.mark.parametrize(("value", "label"), [(1.0, "outlined: blood"), (0.0, "nothing was drawn")])
def test_what_was_drawn_is_outlined_or_said_not_to_be(
    read_archive: ReadArchive, tmp_path: Path, value: float, label: str
) -> None:
    drawn = pack_map(np.full((4, 4), value, np.float32))
    masks = DrawnMasks(("blood",), (MaskThresholds(0.5, 0.0, 0.5),), (((drawn,),),) * 5)
    read = replace(read_archive, answers=replace(read_archive.answers, masks=masks))
    reading = archive_readings(read, [])[0]
    entry = StudyPictures.of(tmp_path, read, {}).study(reading, ROW)
    assert all(label in key.panels[-1].label for key in entry.key_slices)


def test_notes_say_what_is_odd_and_which_series_judges(
    read_archive: ReadArchive, tmp_path: Path
) -> None:
    mask = describe_mask(np.ones((2, 3), bool), "1.9.0.1", "subdural")
    reading = replace(
        archive_readings(read_archive, [mask])[0],
        series=(SeriesScore("1.8.0", 5, 0.0, ()), SeriesScore("1.8.1", 1, -100.0, ("localizer",))),
        broken=("one side at least",),
        key_slices=("1.9.0.1",),
    )
    pictures = StudyPictures.of(tmp_path, read_archive, {"1.7": "too large"})
    entry = pictures.study(reading, ROW)
    assert "judged by series 1.8.0, the best of 2; nothing speaks against it" in entry.notes
    assert "label rules broken before they were settled: one side at least" in entry.notes
    assert entry.notes[-1] == "no page to scroll it could be made: too large"
    (key,) = entry.key_slices
    assert key.mask.startswith("subdural drawn: 6 pixels, side: both (as films are hung")


@pytest.mark.parametrize(
    ("value", "bias", "sentence"),
    [
        (
            12.345,
            -0.4,
            "clot volume: 12.35 ml, measured in what was drawn; in 25 held-out phantoms it was "
            "-0.40 ml off on average, limits of agreement -3.00 to +2.20 ml",
        ),
        (
            1.0,
            None,
            "clot volume: 1.00 ml, measured in what was drawn; how far it is off is not known",
        ),
        (None, -0.4, "clot volume: could not be measured in what was drawn"),
    ],
)
def test_a_measured_number_has_its_error(
    value: float | None, bias: float | None, sentence: str
) -> None:
    measure = {
        "name": "clot_volume",
        "unit": "ml",
        "value": value,
        "bias": bias,
        "limits_of_agreement": [-3.0, 2.2],
        "error_studies": 25,
        "error_in": "held-out phantoms",
    }
    assert _measure_sentence(measure) == sentence
