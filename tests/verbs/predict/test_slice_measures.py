"""tests/verbs/predict/test_slice_measures.py: a number is of the stack with the worst slice."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from wetread.tasks.hemorrhage import blood_volume_ml
from wetread.training.measures import MaskMeasure, MeasureError
from wetread.verbs.predict.read_archive import ReadArchive
from wetread.verbs.predict.slice_measures import measure_slices

SIDE = 4
# Study, series, pixels drawn of two kinds, probability of the headline; slices lie 5 mm apart.
SLICES = [
    ("a", "thin", (1, 0), 0.2),
    ("a", "thin", (1, 2), 0.9),
    ("a", "thick", (9, 9), 0.4),
    ("b", "only", (0, 0), 0.1),
]
MEASURES = (
    MaskMeasure("blood", "ml", ("one", "two"), blood_volume_ml),
    MaskMeasure("air", "", ("air",), lambda drawn: 1.0),  # which nobody draws
)


@pytest.fixture
def read() -> ReadArchive:
    names = [f"{series}.{number}" for number, (_, series, _, _) in enumerate(SLICES)]
    store = SimpleNamespace(
        slices=pl.DataFrame(
            {
                "SOPInstanceUID": names,
                "SeriesInstanceUID": [series for _, series, _, _ in SLICES],
                "StudyInstanceUID": [study for study, *_ in SLICES],
            }
        )
    )
    images = pl.DataFrame(
        {
            "SOPInstanceUID": names,
            "position_mm": [[0.0, 0.0, 5.0 * z] for z in range(len(SLICES))],
            "orientation": [[1.0, 0, 0, 0, 1, 0]] * len(SLICES),
            "row_spacing_mm": 0.5,
            "column_spacing_mm": 0.8,
            "SliceThickness": 5.0,
        }
    )

    def mask(store: object, row: int, column: int) -> np.ndarray:
        flat = np.zeros(SIDE * SIDE, bool)
        flat[: SLICES[row][2][column]] = True
        return flat.reshape(SIDE, SIDE)

    answers = SimpleNamespace(
        masks=SimpleNamespace(findings=("one", "two"), mask=mask),
        image=np.array([[0.0, probability] for *_, probability in SLICES]),
    )
    ensemble = SimpleNamespace(measure_errors={"blood": MeasureError(0.5, 1.0, 20)})
    return cast(
        ReadArchive,
        SimpleNamespace(
            answers=answers,
            store=store,
            reader=SimpleNamespace(ensemble=ensemble),
            task=SimpleNamespace(spec=SimpleNamespace(measures=MEASURES)),
            names=SimpleNamespace(key=1),
            selection=SimpleNamespace(ranked={}, images=images),
        ),
    )


def test_the_stack_with_the_most_suspicious_slice_is_measured(read: ReadArchive) -> None:
    found = measure_slices(read)
    (blood,) = found["a"].measures
    pixels = 1 + 2  # of a slice the kinds overlap: the larger one counts
    assert blood["value"] == pytest.approx(pixels * 0.5 * 0.8 * 5 / 1000)
    assert (blood["bias"], blood["error_studies"]) == (0.5, 20)
    assert blood["error_in"] == "studies that the run was scored on"
    (nothing,) = found["b"].measures
    assert nothing["value"] == 0


def test_what_draws_nothing_measures_nothing(read: ReadArchive) -> None:
    cast(Any, read).answers.masks = SimpleNamespace(findings=())
    assert measure_slices(read) == {}
