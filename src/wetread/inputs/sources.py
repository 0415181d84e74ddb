"""inputs/sources.py: the content of a folder, zip or file, for verbs that keep no index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wetread.archive.executor.workers import Workers
from wetread.archive.files.scratch import scratch_folder
from wetread.archive.index.index import Index, build_index, count_refused, read_index
from wetread.archive.plural import plural
from wetread.archive.rejects import RejectError
from wetread.inputs.progress import Report, silent, stage
from wetread.study.series import series_slices
from wetread.study.series_choice import ANY_SERIES, score_series
from wetread.study.unit import note_taken_as_hu


@dataclass(frozen=True, eq=False)
class Source:
    """The images of a folder, zip, tar, file or index, and what could not be read of it."""

    path: Path
    images: pl.DataFrame
    rejects: pl.DataFrame

    @property
    def refused(self) -> int:
        """Files that cannot be used; those that are no DICOM are no fault of an archive."""
        return count_refused(self.rejects)


def open_source(
    source: Path, workers: Workers, report: Report = silent, *, as_hu: bool = False
) -> Source:
    """Index a folder, zip, tar or file, or read the index of one (.parquet); nothing stays on disk.

    as_hu: take its CT as HU, whatever the headers say.

    FileNotFoundError where there is no such source.
    """
    if not source.exists():
        raise FileNotFoundError(f"{source} does not exist; give a folder, a zip or a file")
    with indexed([source], workers, report, as_hu=as_hu) as index:
        return Source(source, index.images, index.rejects)


def given_index(sources: Sequence[Path]) -> Path | None:
    """Find the index (.parquet) that stands in place of files; ValueError where it is not alone."""
    indexes = [source for source in sources if source.suffix.lower() == ".parquet"]
    if not indexes:
        return None
    if len(sources) > 1:
        raise ValueError(f"{indexes[0]}: an index stands alone, or leave it out and give files")
    return indexes[0]


def in_hu(archive: Index) -> Index:
    """Return the archive with its CT taken as Hounsfield units, whatever the headers say."""
    taken = note_taken_as_hu(archive.instances)
    return Index(taken.lazy(), archive.rejects, archive.duplicates)


@contextmanager
def indexed(
    sources: Sequence[Path],
    workers: Workers,
    report: Report = silent,
    *,
    repair: bool = True,
    as_hu: bool = False,
) -> Iterator[Index]:
    """Open the index that is given as a .parquet, or make one that is gone at the end, so that
    nothing of a patient stays behind. repair: as for `index`, where it indexes. as_hu: take its CT
    as HU, whatever the headers say."""
    if (given := given_index(sources)) is not None:
        archive = read_index(given)
        yield in_hu(archive) if as_hu else archive
        return
    with scratch_folder() as folder:
        out = folder / "index.parquet"
        local = workers if isinstance(workers, int) else 1  # a cluster's node does not see it
        archive = build_index(
            sources, out, workers=local, progress=stage(report, "index"), repair=repair
        )
        yield in_hu(archive) if as_hu else archive


def ct_series(source: Source) -> list[pl.DataFrame]:
    """List the CT series of a source, the slices of each in order; RejectError without any."""
    images = source.images.filter(pl.col("Modality") == "CT")
    if not images.height:
        others = source.images.height
        detail = f"no CT image in {source.path}; {plural(others, 'image of other modalities')}"
        raise RejectError("wrong_kind", detail)
    return series_slices(images)


def best_series(series: Sequence[pl.DataFrame], uid: str | None = None) -> pl.DataFrame:
    """Choose the series of a SeriesInstanceUID, or the best (study/series_choice.py)."""
    if uid is None:
        return min(series, key=_unsuited)
    uids = [str(rows["SeriesInstanceUID"][0]) for rows in series]
    if uid not in uids:
        raise ValueError(f"no series {uid!r}; there are: {', '.join(uids)}")
    return series[uids.index(uid)]


def _unsuited(rows: pl.DataFrame) -> tuple[float, int, str]:
    score = score_series(rows, ANY_SERIES)
    return -score.score, -score.slices, score.series_uid
