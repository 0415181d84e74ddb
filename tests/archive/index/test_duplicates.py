"""tests/archive/index/test_duplicates.py: of files with one UID the first is the instance, equal
bytes are a copy, other bytes a conflict."""

import hashlib
from pathlib import Path

import polars as pl

from wetread.archive.index.duplicates import VERDICT_SCHEMA, digest_of, judge_duplicates


def several(folder: Path, contents: dict[str, tuple[str, bytes]]) -> pl.DataFrame:
    """Write files of name: (UID, content); the table that judge_duplicates takes."""
    rows = []
    for name, (uid, content) in contents.items():
        (folder / name).write_bytes(content)
        rows.append((str(folder / name), None, uid, None))
    schema = {"path": pl.String, "member": pl.String, "SOPInstanceUID": pl.String}
    return pl.DataFrame(rows, schema=schema | {"digest": pl.String}, orient="row")


def test_the_first_stands_a_copy_is_a_copy_and_other_bytes_are_a_conflict(tmp_path: Path) -> None:
    contents = {
        "a": ("1", b"x"),
        "b": ("2", b"y"),
        "c": ("1", b"x"),
        "d": ("1", b"z"),
        "e": ("2", b"y"),
    }
    found = judge_duplicates(several(tmp_path, contents))
    assert found.schema == pl.Schema(VERDICT_SCHEMA)
    assert found["verdict"].to_list() == ["first", "first", "copy", "conflict", "copy"]
    assert found["conflict"].to_list() == [
        *(None, None, None),
        f"the SOP Instance UID of {tmp_path / 'a'}, with other content",
        None,
    ]
    assert found["digest"][0] == hashlib.blake2b(b"x", digest_size=16).hexdigest()


def test_a_digest_that_is_known_is_not_read_again(tmp_path: Path) -> None:
    table = several(tmp_path, {"a": ("1", b"x"), "b": ("1", b"y")})
    known = table.with_columns(digest=pl.lit("of before"))
    for path in table["path"]:
        Path(path).unlink()
    assert judge_duplicates(known)["verdict"].to_list() == ["first", "copy"]


def test_a_file_that_is_gone_is_equal_to_no_other(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(3 << 20))
    assert digest_of(str(tmp_path / "a"), None) == (
        hashlib.blake2b(bytes(3 << 20), digest_size=16).hexdigest()
    )
    gone = [digest_of(str(tmp_path / name), None) for name in ("b", "c")]
    assert len(set(gone)) == 2
    assert all(text.startswith("io_error: ") for text in gone)
