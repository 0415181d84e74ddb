"""tests/archive/index/test_index.py: an index counts every file once, goes on where it was
killed, and
reads what changed."""

import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from wetread.archive.containers.sources import Entry
from wetread.archive.index import journal as journal_module
from wetread.archive.index.examine import examine
from wetread.archive.index.index import Index, build_index, read_index
from wetread.archive.index.journal import rows_to_frame
from wetread.archive.index.schema import INDEX_SCHEMA, REJECT_SCHEMA
from wetread.archive.pictures.kinds import Pictures

Write = Callable[..., Path]


@pytest.fixture
def archive(write_ct: Write, tmp_path: Path) -> Path:
    """12 slices, 3 of them in a zip, and a text."""
    for number in range(1, 13):
        write_ct(f"archive/sub{number % 3}/{number}", number=number)
    top = tmp_path / "archive"
    with zipfile.ZipFile(top / "z.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted((top / "sub0").iterdir())[:3]:
            packed.write(path, f"in/{path.name}")
            path.unlink()
    (top / "labels.csv").write_text("ID,Label\n")
    return top


def index(top: Path, out: Path, workers: int = 1) -> Index:
    return build_index([top], out, workers=workers, progress=lambda done, total: None)


@pytest.fixture
def read_paths(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that an index run examines, as it goes."""
    seen: list[str] = []

    def watched(
        entry: Entry, *, repair: bool = True, pictures: Pictures | None = None
    ) -> dict[str, Any]:
        seen.append(Path(entry.member or entry.path).name)
        return examine(entry, repair=repair, pictures=pictures)

    monkeypatch.setattr(journal_module, "examine", watched)
    return seen


def test_counts_add_up_and_members_are_counted_in_place_of_their_zip(
    archive: Path, tmp_path: Path
) -> None:
    found = index(archive, tmp_path / "i.parquet")
    assert found.counts() == {
        "files": 13,
        "instances": 12,
        "not_image": 0,
        "duplicates": 0,
        "rejects": 1,
        "without_header": 0,
        "series": 1,
        "studies": 1,
        "patients": 1,
        "by_reason": {"not_dicom": 1},
    }
    assert found.instances.schema == pl.Schema(INDEX_SCHEMA)
    assert found.rejects.schema == pl.Schema(REJECT_SCHEMA)
    assert found.instances["member"].is_not_null().sum() == 3
    again = read_index(tmp_path / "i.parquet")
    assert_frame_equal(again.instances, found.instances, check_exact=True)
    assert_frame_equal(again.rejects, found.rejects, check_exact=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("archive", "i.duplicates.parquet", "i.parquet", "i.rejects.parquet")
    ]


def test_an_index_inside_its_own_archive_does_not_count_itself(archive: Path) -> None:
    first = index(archive, archive / "i.parquet").counts()
    assert index(archive, archive / "i.parquet").counts() == first


def test_an_unchanged_file_is_not_read_again(
    archive: Path, tmp_path: Path, read_paths: list[str]
) -> None:
    first = index(archive, tmp_path / "i.parquet")
    assert len(read_paths) == 13
    read_paths.clear()
    again = index(archive, tmp_path / "i.parquet")
    assert_frame_equal(again.instances, first.instances, check_exact=True)
    assert read_paths == []


def test_a_changed_a_new_and_a_removed_file_are_taken_up(
    archive: Path, tmp_path: Path, read_paths: list[str], write_ct: Write
) -> None:
    index(archive, tmp_path / "i.parquet")
    read_paths.clear()
    write_ct("archive/sub1/1", number=101)
    write_ct("archive/sub1/new", number=102)
    (archive / "sub1" / "4").unlink()
    with zipfile.ZipFile(archive / "z.zip", "a") as packed:
        packed.write(archive / "sub2" / "2", "in/2")
    found = index(archive, tmp_path / "i.parquet")
    assert sorted(read_paths) == ["1", "2", "new"]
    assert found.counts()["files"] == 14
    fresh = index(archive, tmp_path / "fresh.parquet")
    one, other = (each.instances.drop("digest") for each in (fresh, found))
    assert_frame_equal(one, other, check_exact=True)


def test_two_workers_write_what_one_writes(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetread.archive.index.index.CHUNK", 4)
    monkeypatch.setattr("wetread.archive.index.index._POOL_FROM", 1)
    index(archive, tmp_path / "one.parquet", workers=1)
    index(archive, tmp_path / "two.parquet", workers=2)
    for end in (".parquet", ".rejects.parquet", ".duplicates.parquet"):
        assert (tmp_path / f"one{end}").read_bytes() == (tmp_path / f"two{end}").read_bytes()


def test_the_same_bytes_twice_are_one_instance_and_a_duplicate(
    write_ct: Write, tmp_path: Path
) -> None:
    data = write_ct("archive/a", number=1).read_bytes()
    (tmp_path / "archive" / "b").write_bytes(data)
    found = index(tmp_path / "archive", tmp_path / "i.parquet")
    assert found.counts()["duplicates"] == 1
    assert [Path(path).name for path in found.instances["path"]] == ["a"]
    (tmp_path / "archive" / "a").unlink()
    found = index(tmp_path / "archive", tmp_path / "i.parquet")
    assert (found.counts()["duplicates"], found.counts()["instances"]) == (0, 1)
    assert [Path(path).name for path in found.instances["path"]] == ["b"]


def test_one_uid_with_other_content_is_a_conflict(
    write_ct: Write, tmp_path: Path, noise: np.ndarray
) -> None:
    write_ct("archive/a", number=1)
    write_ct("archive/b", number=1, pixels=noise + 1)
    write_ct("archive/c", number=1)
    found = index(tmp_path / "archive", tmp_path / "i.parquet")
    assert [Path(path).name for path in found.instances["path"]] == ["a"]
    assert found.duplicates == 1
    assert found.rejects["reason"].to_list() == ["uid_conflict"]
    assert found.rejects["detail"].to_list()[0].startswith("the SOP Instance UID of /")
    (tmp_path / "archive" / "a").unlink()
    (tmp_path / "archive" / "c").unlink()
    found = index(tmp_path / "archive", tmp_path / "i.parquet")
    assert (found.counts()["instances"], found.counts()["rejects"]) == (1, 0)


@pytest.mark.timeout(60)
def test_broken_things_in_an_archive_are_rejects_and_change_nothing_else(
    archive: Path, tmp_path: Path
) -> None:
    before = index(archive, tmp_path / "before.parquet")
    whole = (archive / "sub1" / "1").read_bytes()
    broken = archive / "broken"
    broken.mkdir()
    (broken / "empty").write_bytes(b"")
    (broken / "text.dcm").write_text("not a DICOM file\n" * 100)
    (broken / "header").write_bytes(whole[: whole.index(b"1.2.5") + 2])
    (broken / "pixels").write_bytes(whole[:-20])
    (broken / "dangling").symlink_to(broken / "nothing")
    os.mkfifo(broken / "fifo")
    (broken / "loop").symlink_to(archive)
    found = index(archive, tmp_path / "after.parquet")
    added = found.rejects.filter(pl.col("path").str.contains("/broken/"))
    reasons = {Path(path).name: reason for path, reason in added.select("path", "reason").rows()}
    assert reasons == {
        "empty": "empty",
        "text.dcm": "not_dicom",
        "header": "truncated_header",
        "pixels": "truncated_pixels",
        "dangling": "dangling_link",
        "fifo": "not_file",
        "loop": "link_loop",
    }
    assert_frame_equal(found.instances, before.instances, check_exact=True)


_KILLED_RUN = """
import sys, time
from pathlib import Path
import wetread.archive.index.index as index
index.CHUNK = 3
def progress(done, total):
    if done >= 6:
        print(done, flush=True)
        time.sleep(60)
index.build_index([Path(sys.argv[1])], Path(sys.argv[2]), workers=1, progress=progress)
"""


def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been_killed(
    archive: Path, tmp_path: Path, read_paths: list[str]
) -> None:
    index(archive, tmp_path / "whole.parquet")
    read_paths.clear()
    out = tmp_path / "killed.parquet"
    command = [sys.executable, "-c", _KILLED_RUN, str(archive), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"6"
        process.send_signal(signal.SIGKILL)
    assert not out.exists()
    half_written = tmp_path / "killed.journal" / "torn.parquet"
    half_written.write_bytes(b"PAR1 torn")
    index(archive, out)
    assert len(read_paths) == 13 - 6
    for end in (".parquet", ".rejects.parquet", ".duplicates.parquet"):
        assert (tmp_path / f"killed{end}").read_bytes() == (tmp_path / f"whole{end}").read_bytes()
    assert not (tmp_path / "killed.journal").exists()


_DYING_WORKER = """
import os
import wetread.archive.index.journal as journal
original = journal.examine
def examine(entry, *, repair, pictures):
    if entry.path.endswith("/7"):
        os._exit(9)
    return original(entry, repair=repair, pictures=pictures)
journal.examine = examine
"""


def test_a_file_that_kills_its_process_costs_one_file(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(_DYING_WORKER)  # what each worker begins with
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("wetread.archive.index.index.CHUNK", 4)
    monkeypatch.setattr("wetread.archive.index.index._POOL_FROM", 1)
    found = index(archive, tmp_path / "i.parquet", workers=2)
    assert found.counts()["by_reason"] == {"decoder_crashed": 1, "not_dicom": 1}
    lost = found.rejects.filter(pl.col("reason") == "decoder_crashed")
    assert Path(lost["path"][0]).name == "7"
    assert "exit code 9" in lost["detail"][0]


def test_no_index_is_said_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="wetread index"):
        read_index(tmp_path / "none.parquet")


def test_a_table_of_rows_keeps_null_and_empty_lists_apart() -> None:
    values = [["a", "b"], None, [], ["c"], None]
    schema = {"notes": pl.List(pl.String()), "size": pl.Int64()}
    table = rows_to_frame([{"notes": value} for value in values], schema)
    assert table["notes"].to_list() == values
    assert table.schema == pl.Schema(schema)
    assert rows_to_frame([], schema).schema == pl.Schema(schema)


def test_the_real_archive_has_the_counts_that_its_readme_names(
    real_data: Path, tmp_path: Path
) -> None:
    sources = [real_data / "hemorrhage"]
    found = build_index(sources, tmp_path / "i.parquet", workers=1)
    counts = found.counts()
    assert (counts["files"], counts["instances"], counts["series"]) == (96, 93, 27)
    assert counts["by_reason"] == {"not_dicom": 3}
    assert found.instances["member"].is_not_null().sum() == 32
    sources.append(real_data / "hemorrhage_series")
    counts = build_index(sources, tmp_path / "i.parquet", workers=1).counts()
    assert (counts["files"], counts["instances"], counts["duplicates"]) == (159, 152, 1)
    assert (counts["series"], counts["rejects"]) == (28, 6)


def test_an_index_of_an_earlier_version_is_refused_with_what_to_do(
    archive: Path, tmp_path: Path
) -> None:
    path = tmp_path / "i.parquet"
    index(archive, path)
    pl.read_parquet(path).drop("RescaleType").write_parquet(path)
    with pytest.raises(ValueError, match="RescaleType; index again: wetread index SRC -o"):
        read_index(path)
    assert "RescaleType" in index(archive, path).instances.columns
