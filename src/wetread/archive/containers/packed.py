"""archive/containers/packed.py: a file that is no DICOM but holds others is named for what it is.

A `.dcm.gz`, a zip in a zip, a disc image: what lies in it would vanish as "not DICOM". Documents,
arrays and weights are zips, too, and are no archives.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Protocol

from wetread.archive.rejects import RejectError
from wetread.archive.types import ReadAt

_HEAD = 4096
_BLOCK = 2 << 20  # bzip2 gives nothing before its first block, 900 kB, is there
_DISC = 32769  # where ISO 9660 says CD001
_TAR = slice(257, 262)
_SIGNS = {  # of forms that are not looked into
    b"7z\xbc\xaf\x27\x1c": "7z archive",
    b"Rar!\x1a\x07": "RAR archive",
    b"\x28\xb5\x2f\xfd": "Zstandard file",
    b"\x04\x22\x4d\x18": "LZ4 file",
    b"\x1f\x9d": "compress (.Z) file",
    b"MSCF": "cabinet archive",
    b"PK\x07\x08": "part of a zip over several files",
}
# First members of zips that are documents, arrays, weights or programs.
_NO_ARCHIVE = (b"[Content_Types].xml", b"mimetype", b"META-INF/", b"_rels/", b"docProps/")
_NO_ARCHIVE_ENDS = (b".npy", b"/data.pkl", b"/byteorder", b"/version", b".class", b"/WHEEL")


class _Inflater(Protocol):
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


_INFLATERS: dict[bytes, tuple[str, Callable[[], _Inflater]]] = {
    b"\x1f\x8b": ("gzip", lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)),
    b"BZh": ("bzip2", bz2.BZ2Decompressor),
    b"\xfd7zXZ\0": ("xz", lzma.LZMADecompressor),
}


def refuse_packed(read_at: ReadAt, size: int) -> None:
    """Raise RejectError `io_error`, which names the form, where a file that is no DICOM holds what
    may be: an archive, or DICOM that is compressed as a whole."""
    if size < 20:
        return
    head = read_at(0, _HEAD)
    if head.startswith(tuple(_INFLATERS)):
        head = read_at(0, _BLOCK)
    form = packed_form(head)
    if form is None and size > _DISC + 5 and read_at(_DISC, 5) == b"CD001":
        form = "disc image (ISO 9660)"
    if form is not None:
        raise RejectError("io_error", f"a {form}, which is not looked into; unpack it first")


def packed_form(head: bytes) -> str | None:
    """Name an archive or compressed DICOM file by its first bytes; None where it is neither."""
    for sign, name in _SIGNS.items():
        if head.startswith(sign):
            return name
    if head[_TAR] == b"ustar":
        return "tar archive"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
        document = first.startswith(_NO_ARCHIVE) or first.endswith(_NO_ARCHIVE_ENDS)
        return None if document else "zip archive"
    for sign, (name, inflater) in _INFLATERS.items():
        if head.startswith(sign):
            return _inflated_form(head, name, inflater())
    return None


def _inflated_form(head: bytes, name: str, inflater: _Inflater) -> str | None:
    try:
        inside = inflater.decompress(head, _HEAD)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return f"{name} file that is damaged"
    if inside[128:132] == b"DICM" or inside[:2] in (b"\x02\0", b"\x08\0"):
        return f"{name} file with DICOM in it"
    inner = packed_form(inside)
    return None if inner is None else f"{name} file with a {inner} in it"
