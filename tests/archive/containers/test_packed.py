"""tests/archive/containers/test_packed.py: archives in archives are rejects that name them; none
vanishes."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from wetread.archive.index.index import Index, build_index

Build = Callable[[Path], Index]
DICOM = Path(str(get_testdata_file("CT_small.dcm"))).read_bytes()


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return lambda source: build_index([source], tmp_path / "out" / "i.parquet", workers=1)


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return out.getvalue()


def tarred(content: bytes, mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as packed:  # type: ignore[call-overload]
        info = tarfile.TarInfo("x.dcm")
        info.size = len(content)
        packed.addfile(info, io.BytesIO(content))
    return out.getvalue()


PACKED = {
    "x.dcm.gz": (gzip.compress(DICOM), "a gzip file with DICOM in it"),
    "x.dcm.bz2": (bz2.compress(DICOM), "a bzip2 file with DICOM in it"),
    "x.dcm.xz": (lzma.compress(DICOM), "a xz file with DICOM in it"),
    "no preamble.gz": (gzip.compress(DICOM[132:]), "a gzip file with DICOM in it"),
    "x.gz": (gzip.compress(tarred(DICOM)), "a gzip file with a tar archive in it"),
    "inner": (zipped(x=DICOM), "a zip archive"),
    "cut inner": (zipped(x=DICOM)[:-100], "a zip archive"),
    "inner.tar.gz.dcm": (tarred(DICOM, "w:gz"), "a gzip file with a tar archive in it"),
    "t": (tarred(DICOM), "a tar archive"),
    "a.7z": (b"7z\xbc\xaf\x27\x1c" + bytes(100), "a 7z archive"),
    "a.rar": (b"Rar!\x1a\x07\x01\0" + bytes(100), "a RAR archive"),
    "a.zst": (b"\x28\xb5\x2f\xfd" + bytes(100), "a Zstandard file"),
    "a.z01": (b"PK\x07\x08PK\x03\x04" + bytes(100), "part of a zip over several"),
    "disc.iso": (bytes(32769) + b"CD001" + bytes(100), "a disc image"),
    "broken.gz": (b"\x1f\x8b\x08\0" + b"\xff" * 100, "a gzip file that is damaged"),
}


@pytest.mark.parametrize("around", ["folder", "zip", "tar.gz"])
def test_what_is_packed_again_is_a_reject_with_its_form_and_not_lost(
    build: Build, tmp_path: Path, around: str
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    if around == "folder":
        for name, (content, _) in PACKED.items():
            (source / name).write_bytes(content)
    elif around == "zip":
        with zipfile.ZipFile(source / "all.zip", "w", zipfile.ZIP_DEFLATED) as packed:
            for name, (content, _) in PACKED.items():
                packed.writestr(name, content)
    else:
        with tarfile.open(source / "all.tar.gz", "w:gz") as packed_tar:
            for name, (content, _) in PACKED.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                packed_tar.addfile(info, io.BytesIO(content))
    found = build(source)
    assert found.counts()["files"] == found.rejects.height == len(PACKED)
    for path, member, reason, detail in found.rejects.select(
        "path", "member", "reason", "detail"
    ).iter_rows():
        name = member or Path(path).name
        assert reason == "io_error", name
        assert PACKED[name][1] in detail, name
        assert "unpack it first" in detail


def test_documents_arrays_and_weights_are_no_archives(build: Build, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "report.docx").write_bytes(zipped(**{"[Content_Types].xml": b"<x/>" * 20}))
    (source / "a.npz").write_bytes(zipped(**{"arr_0.npy": bytes(200)}))
    (source / "w.pt").write_bytes(zipped(**{"w/data.pkl": bytes(200)}))
    (source / "mask.nii.gz").write_bytes(gzip.compress(bytes(5000)))
    (source / "table.csv.gz").write_bytes(gzip.compress(b"a,b\n" * 500))
    assert build(source).counts()["by_reason"] == {"not_dicom": 5}


def test_a_folder_entry_of_a_windows_zip_is_nothing_and_a_link_is_no_file(
    build: Build, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    with zipfile.ZipFile(source / "w.zip", "w") as packed:
        packed.writestr("scan\\", b"")
        said = zipfile.ZipInfo("other")
        said.external_attr = 0x10
        packed.writestr(said, b"")
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(link, b"scan/x.dcm")
        packed.writestr("scan\\x.dcm", DICOM)
    found = build(source)
    counts = found.counts()
    assert (counts["files"], counts["instances"]) == (2, 1)
    assert counts["by_reason"] == {"not_file": 1}
    assert found.instances["member"].to_list() == ["scan\\x.dcm"]


@pytest.mark.parametrize("kind", ["stored zip inside, end cut off", "central directory cut"])
def test_a_zip_without_its_ending_is_one_reject_and_no_inner_zip_is_taken_for_it(
    build: Build, tmp_path: Path, kind: str
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    whole = zipped(a=DICOM, b=zipped(x=DICOM))
    end = whole.rindex(b"PK\x01\x02" if kind.startswith("stored") else b"PK\x05\x06")
    first = whole.index(b"PK\x01\x02", whole.rindex(b"PK\x05\x06", 0, end)) if end else 0
    cut = whole[:first] if kind.startswith("stored") else whole[:end]
    (source / "z.zip").write_bytes(cut)
    found = build(source)
    assert found.counts()["files"] == 1
    assert found.rejects["reason"].to_list() == ["io_error"]
    assert "end" in found.rejects["detail"][0]


def test_a_tar_that_ends_with_a_zip_is_read_as_the_tar(build: Build, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    with tarfile.open(source / "t.tar", "w") as packed:
        for name, content in (("a.dcm", DICOM), ("inner.zip", zipped(x=DICOM))):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    assert zipfile.is_zipfile(source / "t.tar")  # what misleads
    found = build(source)
    assert found.instances["member"].to_list() == ["a.dcm"]
    assert found.rejects.select("member", "reason").rows() == [("inner.zip", "io_error")]
