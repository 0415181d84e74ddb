"""tests/inputs/test_archive.py: an archive is checked at once, and opened as an index."""

from pathlib import Path

import polars as pl
import pytest

from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.index.index import Index
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.inputs.archive import open_archive, require_sources, select_modalities
from wetread.inputs.progress import silent


def test_sources_are_looked_for_before_anything_is_read(tmp_path: Path) -> None:
    require_sources([tmp_path])
    with pytest.raises(FileNotFoundError, match="no-folder does not exist; give folders"):
        require_sources([tmp_path, tmp_path / "no-folder"])
    (tmp_path / "i.parquet").write_text("no table")
    with pytest.raises(DamagedFileError, match=r"i\.parquet"):
        require_sources([tmp_path / "i.parquet"])
    with pytest.raises(ValueError, match="stands alone"):
        require_sources([tmp_path, tmp_path / "i.parquet"])


def test_files_are_indexed_into_the_folder_and_a_given_index_is_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "note.txt").write_text("no DICOM")
    made = open_archive([tmp_path / "in"], tmp_path, workers=1, report=silent)
    assert made.rejects.height == 1
    index = tmp_path / "index.parquet"
    given = open_archive([index], tmp_path / "other", workers=1, report=silent)
    assert given.rejects.equals(made.rejects)
    assert not (tmp_path / "other").exists()


def test_images_of_other_modalities_are_left_out_and_those_that_do_not_say_kept() -> None:
    rows = [{"Modality": name, "state": "image"} for name in ("CT", "MR", None)]
    rows.append({"Modality": "SR", "state": "not_image"})
    table = pl.DataFrame(rows, schema_overrides=INDEX_SCHEMA)
    kept = select_modalities(Index(table.lazy(), pl.DataFrame(), 2), ("CT",))
    assert kept.images["Modality"].to_list() == ["CT", None]
    assert kept.instances.height == 3  # other objects are counted still
    assert kept.duplicates == 2
