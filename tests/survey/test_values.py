"""tests/survey/test_values.py: what a sample of pixels says, on phantoms and on files of others."""

from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest

import wetread
from wetread.archive.index.index import Index
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.survey.values import (
    describe_values,
    draw_images,
    sample_values,
    suspected_intercepts,
)


@pytest.fixture(scope="module")
def index(phantoms: PhantomTruth, tmp_path_factory: pytest.TempPathFactory) -> Index:
    return wetread.index(phantoms.images, tmp_path_factory.mktemp("i") / "i.parquet", workers=1)


def test_some_images_of_every_form_are_drawn_and_the_same_by_the_same_seed(index: Index) -> None:
    forms = index.images.select("BitsStored", "PixelRepresentation", "RescaleIntercept").unique()
    drawn = draw_images(index.table, seed=0, most=24)
    own = drawn.select("BitsStored", "PixelRepresentation", "RescaleIntercept").unique()
    assert own.height == forms.height
    assert drawn.height == 24
    assert draw_images(index.table, seed=0, most=24).equals(drawn)
    assert not draw_images(index.table, seed=1, most=24).equals(drawn)
    assert draw_images(index.table, most=10**6).height == index.images.height


def test_phantoms_are_in_hu_and_none_is_suspected(index: Index) -> None:
    sampled = sample_values(draw_images(index.table, most=40))
    assert sampled.images.height == 40
    assert not sampled.rejects
    assert sampled.images["unit"].unique().to_list() == ["HU"]
    assert suspected_intercepts(sampled.images).is_empty()
    assert sampled.images["letters"].max() == 0
    assert sum(one.total for one in sampled.values.values()) == 40 * 64 * 64
    assert describe_values(sampled.images)["images"].sum() == 40


def test_a_series_without_its_intercept_is_suspected_and_the_others_are_not(
    index: Index, tmp_path: Path
) -> None:
    uid = index.images["SeriesInstanceUID"][0]
    rows = index.images.select("path", "SeriesInstanceUID").rows()
    for number, (file, series) in enumerate(rows):
        dataset = pydicom.dcmread(file)
        if series == uid:
            dataset.RescaleIntercept = float(dataset.RescaleIntercept) + 1000
        dataset.save_as(tmp_path / f"{number}.dcm")
    found = wetread.index(tmp_path, tmp_path / "i.parquet", workers=1)
    sampled = sample_values(draw_images(found.table, most=10**6))
    suspected = suspected_intercepts(sampled.images)
    assert suspected["SeriesInstanceUID"].to_list() == [uid]


def test_a_file_that_is_gone_is_a_reject_and_the_rest_is_read(
    phantoms: PhantomTruth, tmp_path: Path
) -> None:
    first, second, *_ = sorted(phantoms.images.rglob("*.dcm"))
    for file in (first, second):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    found = wetread.index(tmp_path, tmp_path / "i.parquet", workers=1)
    (tmp_path / first.name).unlink()
    sampled = sample_values(draw_images(found.table))
    assert (sampled.images.height, len(sampled.rejects)) == (1, 1)


def test_an_image_of_one_value_is_constant(phantoms: PhantomTruth, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(next(phantoms.images.rglob("*.dcm")))
    dataset.PixelData = np.zeros_like(dataset.pixel_array).tobytes()
    dataset.save_as(tmp_path / "flat.dcm")
    found = wetread.index(tmp_path, tmp_path / "i.parquet", workers=1)
    (row,) = sample_values(draw_images(found.table)).images.iter_rows(named=True)
    assert row["constant"]


def test_real_heads_of_four_forms_are_not_suspected(real_data: Path, tmp_path: Path) -> None:
    folders = [real_data / name for name in ("hemorrhage", "hemorrhage_slices", "chest_ct")]
    found = wetread.index(folders, tmp_path / "i.parquet", workers=1)
    sampled = sample_values(draw_images(found.table, most=60))
    assert sampled.images.filter(pl.col("unit") == "HU").height > 40
    assert suspected_intercepts(sampled.images).is_empty()


def test_letters_of_real_films_are_found(real_data: Path, tmp_path: Path) -> None:
    """Looked at: this film has PORTABLE and AP burnt into it."""
    name = "1.2.276.0.7230010.3.1.4.8323329.10000.1517875220.938530.dcm"
    film = next((real_data / "pneumothorax").rglob(name))
    found = wetread.index(film, tmp_path / "i.parquet", workers=1)
    assert sample_values(draw_images(found.table)).images["letters"][0] >= 8
