"""tests/archive/files/test_written.py: what wetread wrote before goes, and nothing else does."""

from pathlib import Path

import pytest

from wetread.archive.files.atomic import write_whole
from wetread.archive.files.written import WRITTEN_LIST, refuse_foreign_files, rewriting

OWN = frozenset({"store"})


def names(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


def test_files_of_an_earlier_run_go_before_the_first_file_of_the_next(tmp_path: Path) -> None:
    with rewriting(tmp_path):
        write_whole(tmp_path / "masks" / "old.png", b"1")
        write_whole(tmp_path / "list.csv", b"1")
        write_whole(tmp_path.parent / "elsewhere.txt", b"1")
    write_whole(tmp_path / "store" / "kept.bin", b"1")
    refuse_foreign_files(tmp_path, OWN)
    with rewriting(tmp_path):
        assert names(tmp_path) == {WRITTEN_LIST, "store/kept.bin"}
        assert not (tmp_path / "masks").exists()
        write_whole(tmp_path / "list.csv", b"2")
    assert (tmp_path / WRITTEN_LIST).read_text() == "list.csv\n"


def test_a_killed_run_leaves_nothing_that_the_next_does_not_know(tmp_path: Path) -> None:
    def stopped() -> None:
        with rewriting(tmp_path):
            write_whole(tmp_path / "masks" / "half.png", b"1")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    refuse_foreign_files(tmp_path, OWN)
    with rewriting(tmp_path):
        pass
    assert names(tmp_path) == {WRITTEN_LIST}


@pytest.mark.parametrize("place", ["notes.txt", "masks/mine.png", "store2/a.bin"])
def test_a_folder_with_a_file_of_others_is_refused_and_the_file_stays(
    place: str, tmp_path: Path
) -> None:
    with rewriting(tmp_path):
        write_whole(tmp_path / "masks" / "old.png", b"1")
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("mine")
    with pytest.raises(ValueError, match=f"the first {place}; give another folder"):
        refuse_foreign_files(tmp_path, OWN)
    with rewriting(tmp_path):
        pass
    assert (tmp_path / place).read_text() == "mine"


def test_a_list_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    out, mine = tmp_path / "out", tmp_path / "mine.txt"
    out.mkdir()
    mine.write_text("mine")
    (out / WRITTEN_LIST).write_text(f"../mine.txt\n{mine}\n")
    with rewriting(out):
        pass
    assert mine.exists()
