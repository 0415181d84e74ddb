"""tests/archive/pictures/test_kinds.py: files without a DICOM header, told by their first bytes and
named by their places."""

import gzip
from pathlib import Path

import pytest

from wetread.archive.containers.contents import open_contents
from wetread.archive.pictures.kinds import picture_id, picture_kind, read_whole, require_modality

NIFTI = (348).to_bytes(4, "little") + bytes(340) + b"n+1\0"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "png"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "jpeg"),
        (NIFTI, "nifti"),
        ((348).to_bytes(4, "big") + NIFTI[4:], "nifti"),
        (gzip.compress(NIFTI), "nifti"),
        ((540).to_bytes(4, "little") + b"n+2\0" + bytes(600), "nifti"),
        (NIFTI[:344] + b"ni1\0", None),  # a header whose voxels lie in another file
        (gzip.compress(b"no volume" * 99), None),
        (b"\x1f\x8b" + bytes(40), None),
        (bytes(128) + b"DICM" + bytes(300), None),
        (b"x", None),
    ],
    ids=range(11),
)
def test_first_bytes_tell(data: bytes, kind: str | None, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    with open_contents(str(tmp_path / "file"), None) as (read_at, size):
        assert picture_kind(read_at, size) == kind
        if kind is not None:
            assert read_whole(read_at, size)[:3] in (data[:3], NIFTI[:3])


@pytest.mark.parametrize(
    ("path", "member", "name"),
    [
        ("/data/films/a.b.png", None, "a.b"),
        ("/data/films/p1/view1.JPG", None, "p1/view1"),
        ("/data/films/deep/x/c.nii.gz", None, "deep/x/c"),
        ("/data/films/old/z.zip", "in/d.png", "old/z/in/d"),
        ("/data/films.zip", "in/the zip/d.jpeg", "in/the zip/d"),
        ("/else/e.nii", None, "e"),
        ("/data/films/no ending", None, "no ending"),
    ],
)
def test_ids_are_paths_below_the_source(path: str, member: str | None, name: str) -> None:
    assert picture_id(path, member, ("/data/films",)) == name


@pytest.mark.parametrize(
    ("path", "member", "name"),
    [
        ("/a/train/x.png", None, "train/x"),
        ("/b/test/x.png", None, "test/x"),
        ("/b/test/more/y.zip", "x.png", "test/more/y/x"),
        ("/c/z1.zip", "x.png", "z1/x"),
        ("/c/x.png", None, "x"),
    ],
)
def test_ids_of_several_sources_have_their_names_before(
    path: str, member: str | None, name: str
) -> None:
    roots = ("/a/train", "/b/test", "/c/z1.zip", "/c/x.png")
    assert picture_id(path, member, roots) == name


def test_a_word_that_is_no_modality_is_refused() -> None:
    assert require_modality("DX") == "DX"
    with pytest.raises(ValueError, match="`pictures=X-ray`: no modality of pictures; known: CR"):
        require_modality("X-ray")
