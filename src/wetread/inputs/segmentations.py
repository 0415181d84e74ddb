"""inputs/segmentations.py: a DICOM Segmentation (PS3.3 A.51) as labels of the images it was made
of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from wetread.archive.types import BoolArray
from wetread.inputs.truth_masks import mask_finding
from wetread.labels.finding import finding_names
from wetread.labels.mask_text import PICTURE, picture_text
from wetread.labels.table import LABEL_SCHEMA, MASK_SCHEMA, LabelError, LabelTable, label_table
from wetread.tasks import Task

ENDING = ".dcm"
_HALF = 0.5  # of the greatest fraction: from it on a pixel is inside
_FAULTS = (  # of a broken data set, or of pixels without a decoder
    *(AttributeError, ValueError, IndexError, KeyError, TypeError),
    *(RuntimeError, NotImplementedError),
)


def is_segmentation_file(path: Path) -> bool:
    """Whether a label file is DICOM, by its name."""
    return path.name.lower().endswith(ENDING)


def read_segmentations(paths: Sequence[Path], word: str | None, task: Task) -> LabelTable:
    """Read Segmentations of type BINARY, FRACTIONAL (from half of the greatest fraction on) or
    LABELMAP, united: an image that a frame was made of has the finding where a pixel is inside, and
    of the images of the same series those without such a frame have none of it.

    word: the finding that all segments are of; None: each of the one that it is named as, or all of
    the only one that the task draws. LabelError where one is none, or names no source images.
    """
    masks: dict[tuple[str, str], BoolArray] = {}
    images: dict[tuple[str, str], None] = {}
    for path in paths:
        try:
            data = dcmread(path)
            frames = data.pixel_array.reshape(-1, data.Rows, data.Columns)
            finding_of = _finding_of_segments(path, data, word, task)
            seen = dict.fromkeys(_referenced(data))
            for number, frame in enumerate(frames):
                sources = _sources(path, data, number)
                seen |= dict.fromkeys(sources)
                for segment, inside in _segments(data, number, frame):
                    if segment in finding_of and inside.any():
                        _unite(path, masks, sources, finding_of[segment], inside)
        except (*_FAULTS, InvalidDicomError) as error:
            raise LabelError(f"{path}: no DICOM Segmentation that can be read ({error})") from error
        images |= {(image, name): None for name in finding_of.values() for image in seen}
    rows = [("image", image, name, float((image, name) in masks)) for image, name in images]
    labels = label_table(pl.DataFrame(rows, schema=LABEL_SCHEMA, orient="row"))
    drawn = [(image, name, PICTURE, [picture_text(one)]) for (image, name), one in masks.items()]
    return LabelTable(
        labels.frame,
        labels.conflicts,
        labels.duplicates,
        masks=pl.DataFrame(drawn, schema=MASK_SCHEMA, orient="row"),
    )


def _unite(
    path: Path,
    masks: dict[tuple[str, str], BoolArray],
    images: Sequence[str],
    finding: str,
    inside: BoolArray,
) -> None:
    """Add a mask to those of its images."""
    for image in images:
        before = masks.get((image, finding))
        if before is not None and before.shape != inside.shape:
            raise LabelError(f"{path}: a mask of {inside.shape}, another of it has {before.shape}")
        masks[image, finding] = inside if before is None else before | inside


def _finding_of_segments(path: Path, data: Dataset, word: str | None, task: Task) -> dict[int, str]:
    """Return of which finding each segment is, by its number; segments of none are left out."""
    segments = {int(one.SegmentNumber): _plain(one.SegmentLabel) for one in data.SegmentSequence}
    segments.pop(0, None)  # the background of a label map
    if word is not None:
        return dict.fromkeys(segments, mask_finding(path, word, task).name)
    by_name = {_plain(name): name for name in finding_names(task.at("image"))}
    named = {number: by_name[label] for number, label in segments.items() if label in by_name}
    if named:
        return named
    return dict.fromkeys(segments, mask_finding(path, None, task).name)


def _plain(name: str) -> str:
    """A name without what differs between writers: case, blanks, underscores, hyphens."""
    return re.sub(r"[\s_-]+", "", str(name)).casefold()


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


def _sources(path: Path, data: Dataset, number: int) -> list[str]:
    """List the SOP Instance UIDs of the images that a frame was made of. LabelError where there is
    none, one is a frame of several, or lies otherwise."""
    sources = [
        source
        for made in _groups(data, number, "DerivationImageSequence")
        for source in made.get("SourceImageSequence", ())
    ]
    fault = "" if sources else "names no image that it was made of (0008,2112) SourceImageSequence"
    for source in sources:
        if source.get("SpatialLocationsPreserved", "YES") != "YES":
            fault = (
                "lies otherwise than its image ((0028,135A) SpatialLocationsPreserved is "
                f"{source.SpatialLocationsPreserved})"
            )
        elif "ReferencedFrameNumber" in source:
            fault = "was made of one frame of a file of several (0008,1160) ReferencedFrameNumber"
    if fault:
        raise LabelError(
            f"{path}: frame {number + 1} {fault}; write the mask as NIfTI, which is laid by its "
            "place"
        )
    return [str(source.ReferencedSOPInstanceUID) for source in sources]


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
