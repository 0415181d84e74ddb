"""verbs/explore/explore.py: an archive, its labels or both in, one page of what is there out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from wetread.archive.executor.workers import select_workers
from wetread.archive.files.paths import as_path_or_none, as_paths
from wetread.archive.types import StrPath, StrPaths
from wetread.inputs.progress import Report, silent
from wetread.inputs.sources import indexed
from wetread.verbs.explore.archive_part import archive_part, series_part
from wetread.verbs.explore.copy_part import copy_part
from wetread.verbs.explore.exploration import Exploration, write_exploration
from wetread.verbs.explore.gallery import gallery_part
from wetread.verbs.explore.label_part import label_part
from wetread.verbs.explore.labels import OpenedLabels, open_labels
from wetread.verbs.explore.opened import OpenedArchive
from wetread.verbs.explore.part import Part
from wetread.verbs.explore.reader_part import read_clinical, reader_part, table_part
from wetread.verbs.explore.request import ExploreRequest, check_request
from wetread.verbs.explore.shortcut_part import doubt_part, shortcut_part
from wetread.verbs.explore.split_part import Split, patients_part, read_split, sources_part
from wetread.verbs.explore.value_part import value_part

PIXELS = 5000  # images whose pixels are compared


def explore(
    sources: StrPaths = (),
    *,
    out: StrPath | None = None,
    labels: StrPaths = (),
    task: StrPath | None = None,
    columns: Mapping[str, str] | None = None,
    patients: StrPath | None = None,
    folds: StrPath | None = None,
    against: StrPaths = (),
    clinical: StrPath | None = None,
    key: str | None = None,
    run: StrPath | None = None,
    pixels: int | None = None,
    csv: StrPath | None = None,
    seed: int = 0,
    workers: int | None = None,
    report: Report = silent,
) -> Exploration:
    """Explore an archive, its labels, or both: what is there, and what is wrong with it.

    sources: folders, zips and files, or one index; none where labels alone are explored.
    out: the page, .html. csv: a folder for every table of it.
    labels: label files in every form that `train` takes, and tables of readers (columns
        READER:FINDING). task: that reads them; None: the first of the package that does, or else
        one that is drafted of the file. columns: as for `train`.
    patients: a CSV of image (or study) and patient, of both archives where there are two, "study",
        or None for the headers.
    folds: the split to be checked: folds.json of a run, or a table of ids and parts.
    against: a second archive, as what is held out: nothing of it should be in the first.
    clinical: a table of ages, measurements and the like, whose column `key` has ids.
    run: whose predictions of patients that it did not learn are held against their labels.
    pixels: images whose pixels are compared, drawn by seed where there are more; 0: none; None:
        5,000.

    Raises ValueError for arguments that need each other, FileNotFoundError for a source that does
    not exist, LabelError for a file that cannot be read.
    """
    page = as_path_or_none(out)
    if page is not None and page.suffix.lower() != ".html":
        raise ValueError(f"{page}: the page is a file that ends in .html")
    request = ExploreRequest(
        sources=as_paths(sources),
        against=as_paths(against),
        labels=as_paths(labels),
        task=task,
        columns=columns,
        patients=None if patients is None else str(patients),
        pixels=PIXELS if pixels is None else pixels,
        seed=seed,
        workers=select_workers(workers, None),
        report=report,
    )
    if not (request.sources or request.labels or clinical or run):
        raise ValueError("nothing to explore: give an archive, `labels`, a table or a `run`")
    if (clinical is None) != (key is None):
        raise ValueError("a clinical table needs its column of ids: give `clinical` and `key`")
    if folds is not None and not request.sources:
        raise ValueError("`folds` is held against an archive; give its files or its index")
    check_request(request)
    split = None if folds is None else read_split(Path(folds))
    table = None if clinical is None else read_clinical(Path(clinical), str(key))
    of_run = [] if run is None else [doubt_part(Path(run))]
    with _opened(request.sources, request) as archive, _opened(request.against, request) as other:
        found = open_labels(request, archive) if request.labels else None
        parts: list[Part] = []
        if archive is not None:
            parts += [archive_part(archive), series_part(archive, seed)]
            parts.append(value_part(archive, request))
        if found is not None:
            parts += _of_labels(found, seed)
        if archive is not None:
            parts += _of_traps(archive, other, found, split, request)
        parts += of_run
        parts += [] if table is None else [table_part(table, archive)]
        if archive is not None and page is not None:
            parts.append(gallery_part(archive, found, request))
        return write_exploration(parts, archive, found, page, as_path_or_none(csv))


@contextmanager
def _opened(sources: Sequence[Path], request: ExploreRequest) -> Iterator[OpenedArchive | None]:
    """Open an index, or index files for as long as they are explored; None without a source."""
    if not sources:
        yield None
        return
    with indexed(sources, request.workers, request.report) as index:
        yield OpenedArchive(index, request.patients)


def _of_labels(labels: OpenedLabels, seed: int) -> list[Part]:
    """Survey labels, and the readers of each file that has several."""
    readers = [reader_part(reads, seed, number) for number, reads in enumerate(labels.reads)]
    return [label_part(labels, seed), *readers]


def _of_traps(
    archive: OpenedArchive,
    other: OpenedArchive | None,
    labels: OpenedLabels | None,
    split: Split | None,
    request: ExploreRequest,
) -> list[Part]:
    """Survey who and what is on both sides, and what headers tell."""
    parts = [patients_part(archive, split), copy_part(archive, other, request)]
    if labels is not None:
        parts.append(shortcut_part(archive, labels, request.seed))
    if other is not None:
        parts.append(sources_part(archive, other))
    return parts
