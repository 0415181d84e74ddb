"""tests/inputs/test_body_part_by_pixels.py: which part of the body CT shows, by its pixels."""

from pathlib import Path

import polars as pl
import pytest

from wetread.archive.index.index import build_index
from wetread.inputs.body_part_by_pixels import find_body_part
from wetread.phantoms.angiogram.archive import write_angiogram_archive
from wetread.phantoms.head.archive import write_head_archive


def silent(done: int, total: int) -> None:
    """Reports nothing."""


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Rows of an index of two heads, of which no header says the part."""
    folder = tmp_path_factory.mktemp("heads")
    write_head_archive(folder, 2, 0, size=64, workers=1, progress=silent)
    images = build_index([folder], folder / "index.parquet", workers=1).images
    assert images["BodyPartExamined"].null_count() == images.height
    return images


def test_heads_and_chests_are_recognized(heads: pl.DataFrame, tmp_path: Path) -> None:
    assert find_body_part(heads) == ("HEAD", 2, 2)
    write_angiogram_archive(tmp_path, 1, 0, size=64, workers=1, progress=silent)
    chest = build_index([tmp_path], tmp_path / "index.parquet", workers=1).images
    assert find_body_part(chest) == ("CHEST", 1, 1)
    assert find_body_part(pl.concat([heads, chest])) == ("HEAD", 2, 3)
    first = heads.filter(pl.col("SeriesInstanceUID") == heads["SeriesInstanceUID"][0])
    assert find_body_part(pl.concat([first, chest])) == ("", 0, 2)


def test_what_cannot_be_read_shows_nothing(heads: pl.DataFrame) -> None:
    gone = heads.with_columns(path=pl.lit("/nowhere.dcm"))
    assert find_body_part(gone) == ("", 0, 0)
    assert find_body_part(heads.clear()) == ("", 0, 0)
    assert find_body_part(heads.with_columns(Modality=pl.lit("MR"))) == ("", 0, 0)
