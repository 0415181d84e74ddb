"""verbs/predict/objects.py: readings become DICOM objects in the studies that were read."""

from __future__ import annotations

import datetime
import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydicom import Dataset
from pydicom.config import disable_value_validation

from wetread.archive.dataset.whole_header import read_whole_header
from wetread.archive.files.atomic import write_csv, write_whole
from wetread.archive.plural import plural
from wetread.archive.types import BoolArray
from wetread.inputs.progress import Report, stage
from wetread.labels.code import Code
from wetread.outputs.objects.author import Author
from wetread.outputs.objects.source import (
    Replacement,
    complete_header,
    find_faults,
    replace_faults,
)
from wetread.outputs.objects.study import ObjectStudy
from wetread.outputs.optional import import_optional
from wetread.outputs.uid_names import safe_name
from wetread.prediction.members import Ensemble
from wetread.prediction.reading import Reading
from wetread.verbs.predict.read_archive import ReadArchive

FOLDER, REFUSED, REPLACED = "dicom", "refused.csv", "replaced.csv"
REPORT, SEGMENTATION = "report.dcm", "segmentation.dcm"
PRESENTATION, KEY_OBJECTS = "presentation.dcm", "key_objects.dcm"
SEGMENTATION_TYPES = ("binary", "labelmap")
NOT_LEGAL, SEVERAL_FRAMES = "not_legal_dicom", "several_frames"
Masks = Mapping[str, Mapping[str, BoolArray]]  # finding to image to (rows, columns)


@dataclass(frozen=True)
class ObjectOptions:
    """How objects are written.

    replace:      what is no legal DICOM in the header of an image is replaced by what is, in the
                  objects alone; else its study gets none.
    segmentation: how a DICOM Segmentation has the masks (outputs/objects/segmentation.py).
    """

    replace: bool = False
    segmentation: str = "binary"

    def __post_init__(self) -> None:
        if self.segmentation not in SEGMENTATION_TYPES:
            raise ValueError(
                f"no segmentation type {self.segmentation!r}; known: "
                f"{', '.join(SEGMENTATION_TYPES)}"
            )
        import_optional("highdicom", "dicom")


@dataclass(frozen=True)
class WrittenObjects:
    """How many objects were written, and how many studies that were read got none."""

    objects: int
    refused: int


@dataclass(frozen=True)
class RefusedStudy:
    """A study that was read and of which no object was written; reason: a word."""

    study: str
    reason: str
    detail: str


def write_objects(
    out: Path,
    read: ReadArchive,
    readings: Sequence[Reading],
    options: ObjectOptions,
    report: Report,
) -> WrittenObjects:
    """Write out/dicom/STUDY/*.dcm of every study that was read, a table of the studies that got
    none, and one of what was replaced."""
    progress, made_at = stage(report, "objects"), datetime.datetime.now()
    author = make_author(read)
    refused: list[RefusedStudy] = []
    replaced: list[tuple[str, Replacement]] = []
    objects = 0
    with disable_value_validation():  # pydicom would quote values; what counts is looked at
        for done, reading in enumerate(readings):
            progress(done, len(readings))
            if reading.state != "read":
                continue
            headers = read_headers(read, reading)
            fault = _why_not(headers.values(), options)
            if fault is not None:
                refused.append(RefusedStudy(reading.study_uid, *fault))
                continue
            images = {}
            for uid, header in headers.items():
                legal, own = replace_faults(header)
                images[uid] = complete_header(legal)
                replaced += [(reading.study_uid, one) for one in own]
            study = ObjectStudy(images, author, codes_of(read), made_at)
            for name, content in make_objects(study, reading, read, options.segmentation):
                write_whole(out / FOLDER / safe_name(reading.study_uid) / name, content)
                objects += 1
    progress(len(readings), len(readings))
    _write_tables(out / FOLDER, refused, replaced)
    return WrittenObjects(objects, len(refused))


def _why_not(headers: Collection[Dataset], options: ObjectOptions) -> tuple[str, str] | None:
    """Say why a study gets no objects, a word and in words; None where it gets some."""
    frames = max((int(one.get("NumberOfFrames") or 1) for one in headers), default=1)
    if frames > 1:
        return SEVERAL_FRAMES, f"a file of {frames} frames; objects are made of files of one"
    found = None if options.replace else describe_faults(headers)
    return None if found is None else (NOT_LEGAL, found)


def make_objects(
    study: ObjectStudy, reading: Reading, read: ReadArchive, segmentation: str
) -> Iterator[tuple[str, bytes]]:
    """Make the objects of one study, (name, bytes of the file) each."""
    # highdicom, which takes its time to import: only where objects are made.
    from wetread.outputs.objects.key_objects import make_key_objects
    from wetread.outputs.objects.presentation import KeySlice, make_presentation
    from wetread.outputs.objects.report import make_report
    from wetread.outputs.objects.segmentation import make_segmentation

    images, masks = study.images, drawn_in(read, reading)
    yield REPORT, make_report(study, reading, read.task.headline)
    drawn = make_segmentation(study, masks, segmentation)
    if drawn is not None:
        yield SEGMENTATION, drawn
    keys = [uid for uid in reading.key_slices if uid in images]
    if not keys:
        return
    yield KEY_OBJECTS, make_key_objects(study, keys)
    probabilities = {one.sop_instance_uid: one.probabilities for one in reading.slices}
    slices = [
        KeySlice(
            uid,
            tuple(f"{name} {value:.2f}" for name, value in probabilities[uid].items()),
            tuple(one[uid] for one in masks.values() if uid in one),
        )
        for uid in keys
    ]
    yield PRESENTATION, make_presentation(study, slices, _window(images[keys[0]], read))


def make_author(read: ReadArchive) -> Author:
    """Describe the ensemble as the author of objects, with what must be known of it."""
    ensemble = read.reader.ensemble
    return Author(
        read.task.name, digest_networks(ensemble), (*ensemble.cautions, *ensemble.origins)
    )


def digest_networks(ensemble: Ensemble) -> str:
    """Digest the networks that read: SHA-256 of their checkpoints, hexadecimal; of a bundle its
    own."""
    if ensemble.bundle is not None:
        return ensemble.bundle
    digest = hashlib.sha256()
    for member in ensemble.members:
        folder = member.checkpoint.parent
        for file in sorted({member.checkpoint, *folder.glob("*/best.pt")}):
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def codes_of(read: ReadArchive) -> dict[str, Code]:
    """Map the task's findings that have a public code to it."""
    findings = [*read.task.spec.findings_drawn, *read.task.at("study"), *read.task.at("image")]
    return {one.name: one.code for one in findings if one.code is not None}


def read_headers(read: ReadArchive, reading: Reading) -> dict[str, Dataset]:
    """Read the headers of the images of the series that judges a study, by SOP Instance UID, in the
    reading's order."""
    own = pl.col("SOPInstanceUID").is_in([one.sop_instance_uid for one in reading.slices])
    of_series = pl.col("SeriesInstanceUID") == reading.series_uid
    rows = read.selection.images.filter(own & of_series)
    files = {uid: where for uid, *where in rows.select("SOPInstanceUID", "path", "member").rows()}
    ordered = (one.sop_instance_uid for one in reading.slices if one.sop_instance_uid in files)
    return {uid: read_whole_header(*files[uid]) for uid in ordered}


def describe_faults(headers: Iterable[Dataset]) -> str | None:
    """Say what is no legal DICOM in the headers of a study, each element once, with the first value
    that it has and in how many images; None where all is."""
    faults = [fault for header in headers for fault in find_faults(header)]
    count = Counter(fault.keyword for fault in faults)
    first = {fault.keyword: fault for fault in reversed(faults)}
    words = [f"{first[name]} in {plural(number, 'image')}" for name, number in count.items()]
    return "; ".join(words) or None


def drawn_in(read: ReadArchive, reading: Reading) -> Masks:
    """Gather what was drawn in the series that judges a study: finding to image to its mask; images
    in which nothing was are not there."""
    found: dict[str, dict[str, BoolArray]] = {}
    uids = read.store.slices["SOPInstanceUID"]
    for volume in read.answers.volumes.get(reading.study_uid, ()):
        of_images = found.setdefault(volume.finding, {})
        for row, mask in zip(volume.rows.tolist(), volume.masks(), strict=True):
            if mask.any():
                of_images[uids[row]] = mask
    drawn = read.answers.masks
    rows = read.store.slices.with_row_index("row").filter(
        (pl.col("StudyInstanceUID") == reading.study_uid)
        & (pl.col("SeriesInstanceUID") == reading.series_uid)
    )["row"]
    for column, finding in enumerate(drawn.findings):
        for row in rows:
            mask = drawn.mask(read.store, row, column)
            if mask.any():
                found.setdefault(finding, {})[uids[row]] = mask
    return found


def _window(header: Dataset, read: ReadArchive) -> tuple[float, float] | None:
    """Return the first window of the networks, center and width in HU; None of images without
    HU."""
    if str(header.get("Modality", "")) != "CT":
        return None
    window = read.reader.ensemble.members[0].model.view.windows[0]
    return window.center_hu, window.width_hu


def _write_tables(
    folder: Path, refused: Sequence[RefusedStudy], replaced: Sequence[tuple[str, Replacement]]
) -> None:
    of_studies = [(one.study, one.reason, one.detail) for one in refused]
    write_csv(folder / REFUSED, _table(("StudyInstanceUID", "reason", "detail"), of_studies))
    names = ("StudyInstanceUID", "SOPInstanceUID", "element", "was", "now")
    of_images = [
        (study, one.image, one.fault.keyword, one.fault.value, one.now) for study, one in replaced
    ]
    write_csv(folder / REPLACED, _table(names, of_images))


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
