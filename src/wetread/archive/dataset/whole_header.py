"""archive/dataset/whole_header.py: all elements of a file before its pixel data, as pydicom has
them."""

from __future__ import annotations

from io import BytesIO

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.uid import UID

from wetread.archive.containers.contents import open_contents
from wetread.archive.dataset.header import data_set_prefix, read_header


def read_whole_header(path: str, member: str | None) -> Dataset:
    """Read the data set of a file, or of a member of a zip or tar, up to its pixel data; of its
    file meta the transfer syntax. Raises RejectError where it cannot be read."""
    with open_contents(path, member) as (read_at, size):
        header = read_header(read_at, size, frozenset())
        prefix, implicit, little_endian = data_set_prefix(read_at, size, header)
    found = read_dataset(BytesIO(prefix), is_implicit_VR=implicit, is_little_endian=little_endian)
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = UID(header.syntax)
    return found
