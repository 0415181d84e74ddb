"""tests/archive/index/test_listing.py: files that are known are listed and not read again."""

from pathlib import Path

import polars as pl
import pytest

from wetread.archive.index import listing as listing_module
from wetread.archive.index.listing import Listing
from wetread.archive.index.schema import INDEX_SCHEMA, MARKS

NONE_KNOWN = pl.DataFrame(schema={name: INDEX_SCHEMA[name] for name in MARKS})


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Seven files in two folders, and a link to nothing."""
    for number in range(7):
        path = tmp_path / "tree" / f"sub{number % 2}" / f"{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(number))
    (tmp_path / "tree" / "lost").symlink_to("nowhere")
    return tmp_path / "tree"


def test_every_file_is_in_one_chunk_of_the_size_asked_for(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing_module, "_LISTED", 4)
    listing = Listing()
    chunks = list(listing.fresh_chunks([tree], frozenset(), NONE_KNOWN, 3))
    assert [chunk.height for chunk in chunks] == [3, 1, 3]
    assert (listing.files, listing.fresh) == (7, 7)
    assert [reject.reason for reject in listing.refused] == ["dangling_link"]
    assert pl.concat(chunks).sort("path").equals(listing.marks())
    assert listing.marks()["path"].to_list() == sorted(map(str, tree.glob("*/*")))


def test_only_files_whose_marks_differ_are_fresh(tree: Path) -> None:
    first = Listing()
    list(first.fresh_chunks([tree], frozenset(), NONE_KNOWN, 100))
    (tree / "sub0" / "4").write_bytes(b"another length")
    (tree / "sub1" / "new").write_bytes(b"")
    (tree / "sub1" / "1").unlink()
    second = Listing()
    (chunk,) = second.fresh_chunks([tree], frozenset(), first.marks(), 100)
    assert [Path(path).name for path in chunk["path"]] == ["4", "new"]
    assert (second.files, second.fresh) == (7, 2)


def test_the_indexs_own_files_are_left_out(tree: Path) -> None:
    listing = Listing()
    own = frozenset({str(tree / "sub0" / "0"), str(tree / "sub1")})
    list(listing.fresh_chunks([tree], own, NONE_KNOWN, 100))
    assert [Path(path).name for path in listing.marks()["path"]] == ["2", "4", "6"]
