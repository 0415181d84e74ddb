"""archive/index/frames.py: the row of a multi-frame image becomes one row a frame."""

from pydicom.dataset import Dataset

from wetread.archive.containers.contents import open_contents
from wetread.archive.dataset.functional_groups import (
    FRAME_GROUPS,
    SHARED_GROUPS,
    functional_groups,
    group_columns,
)
from wetread.archive.dataset.header import read_header
from wetread.archive.dataset.row_fields import WANTED
from wetread.archive.pictures.kinds import kind_of
from wetread.archive.pictures.volume_file import volume_frames
from wetread.archive.rejects import RejectError
from wetread.archive.types import MutableRow, Row


def frame_rows(row: Row) -> list[MutableRow]:
    """Make one row a frame: the row's columns, `frame` (from 0) and `stack_id` (None: absent).

    Place, spacing, thickness, rescale and window come from the frame's functional groups (PS3.3
    C.7.6.16); an image without them keeps the row's. Raises RejectError.
    """
    if kind_of(row) == "nifti":
        return volume_frames(row)
    count = row["NumberOfFrames"] or 1
    shared_item, items = Dataset(), list[Dataset]()
    with open_contents(row["path"], row["member"]) as (read_at, size):
        header = read_header(read_at, size, WANTED)
        if SHARED_GROUPS in header.values or FRAME_GROUPS in header.values:
            shared_item, items = functional_groups(read_at, size, header)
    if items and len(items) != count:
        detail = f"{count} frames declared, {len(items)} items in (5200,9230)"
        raise RejectError("bad_element", detail)
    base = {**row, "stack_id": None} | group_columns(shared_item)
    own = [group_columns(item) for item in items] or [{}] * count
    return [base | columns | {"frame": number} for number, columns in enumerate(own)]
