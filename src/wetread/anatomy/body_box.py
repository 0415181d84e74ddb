"""anatomy/body_box.py: where the body lies in a CT series, as one box for all its slices."""

from wetread.anatomy.head import find_head_box
from wetread.study.boxes import PixelBox
from wetread.study.slice_sequence import SliceSequence


def find_body_box(hu: SliceSequence) -> PixelBox:
    """Find the square (row0, row1, column0, column1) round the body in all slices of a series.

    hu: (Z, rows, columns), HU. It is found as a head is: the largest connected part of tissue, cut
    from the table; arms that do not touch the trunk may lie outside.
    """
    return find_head_box(hu)
