"""tests/verbs/segment/test_earlier.py: only files of volumes that are gone are removed."""

import json
from pathlib import Path

import polars as pl

from wetread.verbs.segment.earlier import (
    ENTRY_NAME,
    file_names,
    previous_entry,
    remove_outdated,
    source_digests,
)


def volume(out: Path, series: str, sources: tuple[str, ...]) -> Path:
    """The folder of a lung volume of those sources, with its mask and its entry."""
    folder = out / "study" / series / "lungs"
    folder.mkdir(parents=True)
    (folder / "lung.npy").write_bytes(b"mask")
    (folder / "picture.png").write_bytes(b"picture")
    entry = {
        "sources": list(sources),
        "masks": [{"files": {"npy": "lung.npy"}}],
        "files": {"picture": "picture.png"},
    }
    (folder / ENTRY_NAME).write_text(json.dumps(entry))
    return folder


def test_files_of_a_volume_that_is_gone_go_and_foreign_ones_stay(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (digest,) = source_digests(pl.DataFrame({"path": []}, {"path": pl.String}), [source])
    gone, kept = volume(tmp_path, "1", (digest,)), volume(tmp_path, "2", (digest,))
    other = volume(tmp_path, "3", ("another",))
    (gone / "note.txt").write_text("a reader's own")
    remove_outdated(tmp_path, "lungs", {kept}, [source])
    assert [path.name for path in gone.iterdir()] == ["note.txt"]
    assert len(list(kept.iterdir())) == len(list(other.iterdir())) == 3


def test_an_empty_folder_goes_with_its_files(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (digest,) = source_digests(pl.DataFrame({"path": []}, {"path": pl.String}), [source])
    volume(tmp_path, "1", (digest,))
    remove_outdated(tmp_path, "lungs", set(), [source])
    assert not (tmp_path / "study").exists()


def test_of_several_sources_those_are_named_that_hold_the_files(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "ab"
    rows = pl.DataFrame({"path": [str(second / "1.dcm")]})
    both = source_digests(
        pl.DataFrame({"path": [str(first / "1"), str(second / "2")]}), [first, second]
    )
    found = source_digests(rows, [first, second])
    assert len(both) == 2
    assert len(found) == 1
    assert set(found) < set(both)
    assert found == source_digests(rows, [second])


def test_an_entry_that_is_cut_or_names_files_elsewhere_is_not_followed(tmp_path: Path) -> None:
    folder = volume(tmp_path, "1", ("x",))
    entry, names = previous_entry(folder / ENTRY_NAME)
    assert sorted(names) == sorted(file_names(entry)) == ["lung.npy", "picture.png"]
    entry["masks"][0]["files"]["npy"] = "../../other.npy"
    (folder / ENTRY_NAME).write_text(json.dumps(entry))
    assert previous_entry(folder / ENTRY_NAME)[1] == ["picture.png"]
    (folder / ENTRY_NAME).write_text('{"masks": [')
    assert previous_entry(folder / ENTRY_NAME) == ({}, [])
