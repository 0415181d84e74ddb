"""tests/store/test_fresh.py: packed slices are those of their files, or are packed again."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest

from wetread.archive.index.digest import file_record, pixel_digest, refresh_records
from wetread.archive.index.index import build_index
from wetread.phantoms.head.archive import write_head_archive
from wetread.store.store import Store, open_store
from wetread.verbs.pack import pack

Pack = Callable[..., Store]


@pytest.fixture
def archive(tmp_path: Path) -> list[Path]:
    """The files of one small study."""
    write_head_archive(tmp_path / "a", 1, 3, size=64, progress=lambda done, total: None)
    return sorted((tmp_path / "a" / "stage_2_train").iterdir())


@pytest.fixture
def packed(archive: list[Path], tmp_path: Path) -> Pack:
    """packed(...) -> the store of the archive, of the index that is there or a new one."""

    def run(*, again: bool = False, verify: bool = False) -> Store:
        index = tmp_path / "i.parquet"
        if again or not index.is_file():
            build_index([archive[0].parent], index, workers=1)
        return pack(index, tmp_path / "store", workers=1, verify=verify)

    return run


def brighter(path: Path, by: int = 100) -> np.ndarray:
    """The file with other pixels under its UIDs, its size and time as they were; its values."""
    status, dataset = path.stat(), pydicom.dcmread(path)
    pixels = dataset.pixel_array + by
    dataset.PixelData = pixels.astype(dataset.pixel_array.dtype).tobytes()
    dataset.save_as(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    return pixels


def values_of(store: Store, path: Path) -> np.ndarray:
    row = store.slices["SOPInstanceUID"].to_list().index(path.stem)
    return store.read(row)


@pytest.mark.parametrize("again", [False, True], ids=["the same index", "indexed again"])
def test_pixels_replaced_under_the_same_uids_size_and_time_are_packed_again(
    archive: list[Path], packed: Pack, again: bool
) -> None:
    before = packed()
    old = before.digest
    pixels = brighter(archive[2])
    store = packed(again=again)
    np.testing.assert_array_equal(values_of(store, archive[2]), pixels)
    assert store.digest != old


def test_a_file_that_was_copied_moved_back_or_touched_is_not_packed_again(
    archive: list[Path], packed: Pack
) -> None:
    store = packed()
    parts = {path: path.stat().st_mtime_ns for path in (store.path / "parts").glob("*.bin")}
    content = archive[0].read_bytes()
    archive[0].unlink()
    archive[0].write_bytes(content)  # another inode, other times
    os.chmod(archive[1], 0o600)  # another change time
    now = packed()
    assert now.digest == store.digest
    assert {path: path.stat().st_mtime_ns for path in parts} == parts
    (sources,) = (store.path / "parts").glob("*.sources")
    inode = pl.read_parquet(sources).filter(pl.col("path") == str(archive[0]))["inode"].item()
    assert inode == archive[0].stat().st_ino  # and the next start has nothing to read


def test_the_header_may_change_and_the_pixels_are_known_to_be_the_same(
    archive: list[Path],
) -> None:
    before, dataset = pixel_digest(str(archive[0]), None), pydicom.dcmread(archive[0])
    dataset.PatientName = "Somebody^Else"
    dataset.save_as(archive[0])
    assert pixel_digest(str(archive[0]), None) == before
    brighter(archive[0], 1)
    assert pixel_digest(str(archive[0]), None) != before


def test_a_replaced_file_with_all_its_marks_is_found_by_verify(
    archive: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetread.archive.index.digest.SAMPLE", 0)
    record = file_record(str(archive[0]), None)
    brighter(archive[0])
    forged = pl.DataFrame([record | {k: v for k, v in file_record(str(archive[0]), None).items()
                                     if k != "digest"}])  # fmt: skip
    assert refresh_records(forged, workers=1)["fits"].to_list() == [True]
    assert refresh_records(forged, workers=1, verify=True)["fits"].to_list() == [False]


def test_where_one_of_the_sample_is_another_all_are_read(
    archive: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetread.archive.index.digest.SAMPLE", 1)
    old = [file_record(str(path), None)["digest"] for path in archive]
    for path in archive[1:]:
        brighter(path)
    now = [file_record(str(path), None) for path in archive]
    forged = pl.DataFrame([one | {"digest": d} for one, d in zip(now, old, strict=True)])
    drawn = int(np.random.default_rng(7).permutation(len(archive))[0])
    assert drawn != 0  # a file that was replaced
    fits = refresh_records(forged, workers=1, seed=7)["fits"].to_list()
    assert fits == [True] + [False] * (len(archive) - 1)


def test_a_file_that_is_gone_is_a_reject_of_the_next_packing(
    archive: list[Path], packed: Pack
) -> None:
    store = packed()
    archive[3].unlink()
    now = packed()
    assert len(now) == len(store) - 1
    assert now.rejects.select("path", "reason").rows() == [(str(archive[3]), "io_error")]


def test_parts_of_files_that_are_no_longer_there_leave_the_store(
    archive: list[Path], packed: Pack
) -> None:
    packed()
    os.utime(archive[0], ns=(1, 1))
    store = packed(again=True)
    assert len(list((store.path / "parts").glob("*.bin"))) == 1


def test_a_store_of_an_earlier_version_is_read_and_its_digest_is_not_known(packed: Pack) -> None:
    store = packed()
    table = store.path / "slices.parquet"
    pl.read_parquet(table).drop("digest", "notes", "acquisition").write_parquet(table)
    about = store.path / "store.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"format": 2}))
    old = open_store(store.path)
    assert old.digest is None
    assert old.slices["notes"].to_list() == [[]] * len(old)
    assert old.slices["acquisition"].to_list() == [0] * len(old)
    np.testing.assert_array_equal(old.read(0), store.read(0))
