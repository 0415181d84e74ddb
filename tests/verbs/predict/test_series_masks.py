"""tests/verbs/predict/test_series_masks.py: masks of a series as files that others read."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import cv2
import nibabel
import numpy as np
import polars as pl
import pytest

from wetread.labels.finding import Finding
from wetread.labels.rle import decode_union
from wetread.labels.rle_csv import read_rle_csv
from wetread.training.drawings import Drawings
from wetread.training.measures import MaskMeasure, MeasureError
from wetread.verbs.predict import series_masks
from wetread.verbs.predict.series_masks import SeriesMaskSource, write_series_masks

SHAPE = (4, 6, 5)
PLACE = SimpleNamespace(
    affine=np.diag([2.0, 0.5, 0.75, 1.0])[[2, 1, 0, 3]],
    spacing_mm=(0.5, 0.75),
    positions_mm=2.0 * np.arange(4),
    thickness_mm=np.full(4, 2.0),
)
MASKS = np.zeros(SHAPE, bool)
MASKS[1, 2, 1:3] = MASKS[2, 1:4, 2] = True
COUNT = MaskMeasure(
    "count", "px", ("clot",), lambda drawn: float(sum(m.sum() for m in drawn.masks[0])),
    lambda truth: 0.0,
)  # fmt: skip


def source_of(*runs: Drawings) -> SeriesMaskSource:
    slices = pl.DataFrame(
        {
            "SOPInstanceUID": [f"1.{z}" for z in range(4)],
            "SeriesInstanceUID": ["1"] * 4,
            "StudyInstanceUID": ["s"] * 4,
        }
    )
    return SeriesMaskSource(
        cast(Any, SimpleNamespace(slices=slices)), pl.DataFrame(), (COUNT,), runs
    )


def volume_of(masks: np.ndarray) -> Any:
    return SimpleNamespace(
        finding="clot",
        rows=np.arange(4),
        masks=lambda: iter(masks),
        shape=SHAPE[1:],
        thresholds=SimpleNamespace(low=0.4, high=0.8),
    )


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_masks, "series_placement", lambda *of: PLACE)


def test_all_files_hold_the_same_mask_and_the_reading_its_volume(tmp_path: Path) -> None:
    run = Drawings({}, {}, {"count": MeasureError(0.5, 1.0, 20)}, 25)
    drawn = write_series_masks(tmp_path, {"s": [volume_of(MASKS)]}, source_of(run))["s"]
    (mask,) = drawn.masks
    image = nibabel.load(drawn.files[0])
    np.testing.assert_array_equal(np.asarray(image.dataobj).transpose(2, 1, 0), MASKS)
    table = read_rle_csv(tmp_path / "1_clot.csv", (Finding("clot"),))
    runs = {row["id"]: row for row in table.masks.iter_rows(named=True)}
    for z in (1, 2):
        text = runs[f"1.{z}"]
        np.testing.assert_array_equal(decode_union(text["runs"], SHAPE[1:], text["form"]), MASKS[z])
    assert table.frame.filter(pl.col("value") == 0)["id"].to_list() == ["1.0", "1.3"]
    picture = cv2.imread(str(tmp_path / "1_clot.png"), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    np.testing.assert_array_equal(picture > 0, MASKS[2])
    assert mask["volume_ml"] == pytest.approx(5 * 0.5 * 0.75 * 2 / 1000)
    assert (mask["slices"], mask["largest_in"], mask["notes"]) == (2, "1.2", [])
    (measure,) = drawn.measures
    assert (measure["value"], measure["bias"], measure["error_studies"]) == (5.0, 0.5, 20)
    assert measure["limits_of_agreement"] == pytest.approx([-1.46, 2.46])


def test_of_slices_with_equally_much_the_picture_shows_the_one_that_the_reading_names(
    tmp_path: Path,
) -> None:
    tied = np.zeros(SHAPE, bool)
    tied[1, 0, :2] = tied[3, 5, 3:] = True
    drawn = write_series_masks(tmp_path, {"s": [volume_of(tied)]}, source_of())["s"]
    picture = cv2.imread(str(tmp_path / "1_clot.png"), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert drawn.masks[0]["largest_in"] == "1.1"
    np.testing.assert_array_equal(picture > 0, tied[1])


def test_of_several_runs_no_error_is_known(tmp_path: Path) -> None:
    run = Drawings({}, {}, {"count": MeasureError(0.5, 1.0, 20)}, 25)
    drawn = write_series_masks(tmp_path, {"s": [volume_of(MASKS)]}, source_of(run, run))["s"]
    assert drawn.measures[0]["bias"] is None


def test_an_empty_mask_has_no_picture_and_slices_without_a_place_no_nifti(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = SimpleNamespace(**vars(PLACE) | {"affine": np.full((4, 4), np.nan)})
    monkeypatch.setattr(series_masks, "series_placement", lambda *of: lost)
    drawn = write_series_masks(tmp_path, {"s": [volume_of(0 * MASKS > 0)]}, source_of())["s"]
    assert [path.name for path in tmp_path.iterdir()] == ["1_clot.csv"]
    assert drawn.masks[0]["notes"] == [series_masks.NO_PLACE]
    assert drawn.files == ()


def test_a_series_uid_of_two_studies_names_both(tmp_path: Path) -> None:
    source = source_of()
    twice = pl.concat(
        [source.store.slices, source.store.slices.with_columns(StudyInstanceUID=pl.lit("t"))]
    )
    cast(Any, source.store).slices = twice
    drawn = write_series_masks(tmp_path, {"s": [volume_of(MASKS)]}, source)["s"]
    assert drawn.masks[0]["files"][0] == "s_1_clot.csv"
