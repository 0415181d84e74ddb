"""tests/exports/test_folder.py: an export's folder knows its work, and refuses other settings."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import polars as pl
import pytest

from wetread.archive.rejects import Reject
from wetread.exports.folder import (
    ExportPart,
    open_export_folder,
    reject_row,
    sha256,
    sha256_of_file,
)
from wetread.exports.formats import ExportOptions

MakeRows = Callable[..., pl.DataFrame]
NAME = PurePosixPath("1.7", "1.8", "1.9.png")


def options(window: str = "brain") -> ExportOptions:
    return ExportOptions(format="png", window=window)


def test_a_part_is_done_while_its_files_have_their_length(tmp_path: Path) -> None:
    folder, part = open_export_folder(tmp_path, options()), ExportPart()
    folder.write_file(part, NAME, b"12345", {"slices": 1})
    assert not folder.is_done("key")
    folder.finish("key", part)
    assert folder.is_done("key")
    assert part.files == [
        {"file": str(NAME), "format": "png", "slices": 1, "bytes": 5, "sha256": sha256(b"12345")}
    ]
    (tmp_path / NAME).write_bytes(b"1234")
    assert not folder.is_done("key")


def test_a_part_that_names_files_outside_the_folder_is_not_taken_up(tmp_path: Path) -> None:
    folder, part = open_export_folder(tmp_path / "out", options()), ExportPart()
    (tmp_path / "x").write_bytes(b"12345")
    part.files.append({"file": "../x", "slices": 1, "bytes": 5})
    folder.finish("key", part)
    assert not folder.is_done("key")


def test_the_same_settings_open_the_folder_again_and_others_do_not(tmp_path: Path) -> None:
    open_export_folder(tmp_path, options())
    open_export_folder(tmp_path, options())
    with pytest.raises(ValueError, match="window 'brain', now 'bone'"):
        open_export_folder(tmp_path, options("bone"))


def test_a_key_follows_the_files_and_the_settings(make_rows: MakeRows, tmp_path: Path) -> None:
    rows, folder = make_rows(2), open_export_folder(tmp_path / "out", options())
    key = folder.key(rows, "a")
    assert folder.key(rows, "a") == key
    assert folder.key(rows, "b") != key
    assert folder.key(rows[:1], "a") != key
    assert folder.key(rows.with_columns(size=pl.col("size") + 1), "a") != key


def test_the_tables_hold_files_and_rejects_of_this_run(tmp_path: Path) -> None:
    folder = open_export_folder(tmp_path, options())
    first, second = ExportPart(), ExportPart()
    folder.write_file(first, NAME, b"12345", {"slices": 2})
    second.refuse({"path": "a.dcm", "member": None}, "empty", "no bytes")
    folder.finish("first", first)
    folder.finish("second", second)
    counts = folder.write_tables(["first", "second"], [Reject("b.txt", None, "not_dicom", "text")])
    assert counts == (1, 2, 1)
    manifest = pl.read_csv(tmp_path / "manifest.csv", infer_schema=False)
    assert manifest["file"].to_list() == [str(NAME)]
    rejects = pl.read_csv(tmp_path / "rejects.csv", infer_schema=False)
    assert rejects["reason"].to_list() == ["not_dicom", "empty"]


def test_a_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert sha256_of_file(tmp_path / "f") == sha256(b"abc")
    assert sha256(b"abc").startswith("ba7816bf")


def test_a_row_of_the_index_becomes_one_of_the_rejects() -> None:
    row = {"path": "a.zip", "member": "b.dcm", "Rows": 3}
    assert Reject(**reject_row(row, "empty", "none")) == Reject("a.zip", "b.dcm", "empty", "none")
