"""inputs/segmentations.py: a DICOM Segmentation (PS3.3 A.51) as labels of the images it was made
of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from wetread.archive.types import BoolArray
from wetread.labels.finding import finding_names
from wetread.labels.mask_text import PICTURE, picture_text
from wetread.labels.table import LABEL_SCHEMA, MASK_SCHEMA, LabelError, LabelTable, label_table
from wetread.tasks import Task

ENDING = ".dcm"
_HALF = 0.5  # of the greatest fraction: from it on a pixel is inside
_FAULTS = (AttributeError, ValueError, IndexError, KeyError, TypeError)  # of a broken data set
_SEVERAL = "has several segments, none of them named as a finding"


def is_segmentation_file(path: Path) -> bool:
    """Whether a label file is DICOM, by its name."""
    return path.name.lower().endswith(ENDING)


def read_segmentation(path: Path, word: str | None, task: Task) -> LabelTable:
    """Read a Segmentation of type BINARY, FRACTIONAL (from half of the greatest fraction on) or
    LABELMAP: an image that a frame was made of has the finding where a pixel is inside, and an
    image of the same series without such a frame has none of it.

    word: the finding that all segments are of; None: each of the one that it is named as, or all of
    the only one that the task draws. LabelError where it is none, or names no source images.
    """
    try:
        data = dcmread(path)
        _require_own_places(path, data)
        frames = data.pixel_array.reshape(-1, data.Rows, data.Columns)
        return _labels(path, data, frames, _finding_of_segments(path, data, word, task))
    except (*_FAULTS, InvalidDicomError) as error:
        raise LabelError(f"{path}: no DICOM Segmentation that can be read ({error})") from error


def _require_own_places(path: Path, data: Dataset) -> None:
    """Refuse masks that lie otherwise than the images they were made of (0028,135A)."""
    for number in range(len(data.PerFrameFunctionalGroupsSequence)):
        for made in _groups(data, number, "DerivationImageSequence"):
            for source in made.get("SourceImageSequence", ()):
                if source.get("SpatialLocationsPreserved", "YES") != "YES":
                    raise LabelError(
                        f"{path}: frame {number + 1} lies otherwise than its image ((0028,135A) "
                        f"SpatialLocationsPreserved is {source.SpatialLocationsPreserved}); write "
                        "the mask as NIfTI, which is laid by its place"
                    )


def _finding_of_segments(path: Path, data: Dataset, word: str | None, task: Task) -> dict[int, str]:
    """Return of which finding each segment is, by its number; segments of none are left out."""
    names = finding_names(task.at("image"))
    if word is not None and word not in names:
        raise LabelError(f"{path}: {word} is no finding of images; these are {', '.join(names)}")
    segments = {int(one.SegmentNumber): _plain(one.SegmentLabel) for one in data.SegmentSequence}
    segments.pop(0, None)  # the background of a label map
    if word is not None:
        return dict.fromkeys(segments, word)
    by_name = {_plain(name): name for name in names}
    named = {number: by_name[label] for number, label in segments.items() if label in by_name}
    if named:
        return named
    drawn = [one.name for one in getattr(task.spec, "drawn", ()) if one.name in names]
    if len(drawn) == 1 and len(segments) == 1:
        return dict.fromkeys(segments, drawn[0])
    raise LabelError(
        f"{path}: {_SEVERAL if len(segments) > 1 else 'of which finding is it?'}; write "
        f"{path.name}:FINDING, one of {', '.join(names)}"
    )


def _plain(name: str) -> str:
    """A name without what differs between writers: case, blanks, underscores, hyphens."""
    return re.sub(r"[\s_-]+", "", str(name)).casefold()


def _labels(
    path: Path, data: Dataset, frames: np.ndarray, finding_of: Mapping[int, str]
) -> LabelTable:
    masks: dict[tuple[str, str], BoolArray] = {}
    images: dict[str, None] = dict.fromkeys(_referenced(data))
    for number, frame in enumerate(frames):
        sources = _sources(data, number)
        if not sources:
            raise LabelError(
                f"{path}: frame {number + 1} names no image that it was made of (0008,2112) "
                "SourceImageSequence; write the mask as NIfTI, which is laid by its place"
            )
        images |= dict.fromkeys(sources)
        for segment, inside in _segments(data, number, frame):
            if segment in finding_of and inside.any():
                for image in sources:
                    key = image, finding_of[segment]
                    masks[key] = masks[key] | inside if key in masks else inside
    rows = [
        ("image", image, name, float((image, name) in masks))
        for name in dict.fromkeys(finding_of.values())
        for image in images
    ]
    labels = label_table(pl.DataFrame(rows, schema=LABEL_SCHEMA, orient="row"))
    drawn = [(image, name, PICTURE, [picture_text(one)]) for (image, name), one in masks.items()]
    return LabelTable(
        labels.frame,
        labels.conflicts,
        labels.duplicates,
        masks=pl.DataFrame(drawn, schema=MASK_SCHEMA, orient="row"),
    )


def _segments(data: Dataset, number: int, frame: np.ndarray) -> Iterator[tuple[int, BoolArray]]:
    """Yield the number of each segment of a frame, and where it is."""
    kind = data.get("SegmentationType", "BINARY")
    if kind == "LABELMAP":
        for segment in np.unique(frame[frame != 0]).tolist():
            yield int(segment), np.asarray(frame == segment)
        return
    group = _groups(data, number, "SegmentIdentificationSequence")
    segment = int(group[0].ReferencedSegmentNumber)
    least = _HALF * int(data.MaximumFractionalValue) if kind == "FRACTIONAL" else 1
    yield segment, np.asarray(frame >= least)


def _sources(data: Dataset, number: int) -> list[str]:
    """The SOP Instance UIDs of the images that a frame was made of."""
    return [
        str(source.ReferencedSOPInstanceUID)
        for made in _groups(data, number, "DerivationImageSequence")
        for source in made.get("SourceImageSequence", ())
    ]


def _groups(data: Dataset, number: int, keyword: str) -> Sequence[Dataset]:
    """A functional group of a frame, or the one that all frames share (PS3.3 C.7.6.16)."""
    own = data.PerFrameFunctionalGroupsSequence[number].get(keyword)
    shared = data.get("SharedFunctionalGroupsSequence") or [Dataset()]
    found: Sequence[Dataset] = own or shared[0].get(keyword) or ()
    return found


def _referenced(data: Dataset) -> list[str]:
    """All images of the series that it was made of, as it lists them."""
    return [
        str(image.ReferencedSOPInstanceUID)
        for series in data.get("ReferencedSeriesSequence", ())
        for image in series.get("ReferencedInstanceSequence", ())
    ]
