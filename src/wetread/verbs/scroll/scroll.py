"""verbs/scroll/scroll.py: a series becomes one HTML page to scroll."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import polars as pl

from wetread.archive.executor.isolated_process import Limits
from wetread.archive.executor.workers import available_cores, parallel_map, select_workers
from wetread.archive.files.paths import as_paths
from wetread.archive.rejects import RejectError
from wetread.archive.types import StrPath, StrPaths
from wetread.inputs.progress import Report, silent
from wetread.inputs.sources import indexed
from wetread.inputs.volume_masks import read_masks
from wetread.outputs.uid_names import safe_name
from wetread.pages.scroll_index import ListedPage, write_scroll_index
from wetread.pages.scroll_page import (
    OtherPage,
    Overlay,
    Preset,
    leave_out_of_switch,
    write_scroll_page,
)
from wetread.study.issue import Issue
from wetread.study.series import series_slices
from wetread.study.series_choice import ANY_SERIES, SeriesScore, rank_series
from wetread.study.volume import volume_from_rows
from wetread.verbs.scroll.content import page_content, series_name
from wetread.view.window import find_window

MOST_MB = 400.0  # browsers open larger pages slowly, or not at all
_MOST_NAMED = 10  # series in an error; the others are counted
_BASE_S, _SLICE_S = 120.0, 2.0  # what a series may take


@dataclass(frozen=True)
class ScrollPage:
    """One page: its series, the number of slices and bytes, and the issues of the geometry."""

    page: Path
    series_uid: str
    modality: str
    slices: int
    bytes: int
    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class UnreadSeries:
    """A series of which no slice can be read; reason is one of archive/rejects.py's."""

    series_uid: str
    reason: str
    detail: str


@dataclass(frozen=True)
class ScrollResult:
    """The pages; the other series, best first; the series that could not be read.

    refused: files and series that could not be read, and series that lack slices for it.
    index:   the page that lists the pages, where every series got one.
    """

    pages: tuple[ScrollPage, ...]
    others: tuple[SeriesScore, ...]
    unread: tuple[UnreadSeries, ...]
    refused: int
    index: Path | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the pages and the other series as plain values, for JSON."""
        return {
            "pages": [
                {
                    "page": str(page.page),
                    "series_uid": page.series_uid,
                    "modality": page.modality,
                    "slices": page.slices,
                    "bytes": page.bytes,
                    "issues": [{"name": i.name, "detail": i.detail} for i in page.issues],
                }
                for page in self.pages
            ],
            "others": [
                {
                    "series_uid": other.series_uid,
                    "slices": other.slices,
                    "reasons": list(other.reasons),
                }
                for other in self.others
            ],
            "unread": [asdict(series) for series in self.unread],
            "index": None if self.index is None else str(self.index),
            "refused": self.refused,
        }


@dataclass(frozen=True, eq=False)
class _Job:
    """One page to write: the rows of a series, the file, and what it shows."""

    rows: pl.DataFrame
    page: Path
    masks: tuple[Path, ...]
    window: Preset | None
    refused: int
    most_bytes: int
    others: tuple[OtherPage, ...] = ()


def scroll(
    source: StrPaths,
    out: StrPath,
    *,
    series: str | None = None,
    masks: StrPaths = (),
    window: str | None = None,
    every_series: bool = False,
    most_mb: float | None = None,
    workers: int | None = None,
    report: Report = silent,
) -> ScrollResult:
    """Write a page to scroll the series that suits best, or the one named.

    source: folders, zips, tars or files, one or several; or one index (.parquet).
    out: the page, HTML; with every_series a folder: a page a series named by its UID, with a
        switch to the others of its study, and index.html that lists them.
    series: a SeriesInstanceUID.
    masks: NIfTI or NPY files in the series' own space, one or several.
    window: shown first, a name or center/width; None: the file's own, else one that suits.
    every_series: write a page for each series.
    most_mb: refuse a larger page; None: 400.
    workers: processes; None: all cores. report: called with (stage, done, total).

    Raises FileNotFoundError, ValueError for a series that is not there, a mask that does not fit
    or a page too large, and RejectError where no slice of the series can be read.
    """
    sources, out, masks = as_paths(source), Path(out), as_paths(masks)
    for path in (*sources, *masks):
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist; give folders, zip files or files")
    if every_series and (masks or series):
        raise ValueError("`masks` and `series` are of one series; leave out `every_series`")
    shown = None if window is None else Preset(window, find_window(window))
    with indexed(sources, select_workers(workers, None), report) as index:
        found = [_named(rows) for rows in series_slices(index.images)]
        refused = index.refused
    if not found:
        raise ValueError(f"no image in {', '.join(map(str, sources))}; wetread show says why")
    ranked = rank_series(found, ANY_SERIES)
    wanted = found if every_series else [choose_series(found, ranked, series)]
    names = _file_names(wanted)
    jobs = [
        _Job(
            rows=rows,
            page=out / name if every_series else out,
            masks=tuple(masks),
            window=shown,
            refused=refused,
            most_bytes=int((most_mb or MOST_MB) * 1e6),
            others=_others(rows, wanted, names) if every_series else (),
        )
        for rows, name in zip(wanted, names, strict=True)
    ]
    pages, unread = _written(jobs, workers, report)
    cut = sum(issue.name == "slices_rejected" for page in pages for issue in page.issues)
    return ScrollResult(
        pages=tuple(pages),
        others=() if every_series else tuple(_without(ranked, wanted[0])),
        unread=tuple(unread),
        refused=refused + len(unread) + cut,
        index=_listed(out, jobs, pages, unread) if every_series else None,
    )


def _others(
    rows: pl.DataFrame, found: Sequence[pl.DataFrame], names: Sequence[str]
) -> tuple[OtherPage, ...]:
    """Return the pages of the rows' study; none where theirs is the only one."""
    study = rows["StudyInstanceUID"][0]
    others = tuple(
        OtherPage(name, series_name(other), other is rows)
        for other, name in zip(found, names, strict=True)
        if other["StudyInstanceUID"][0] == study
    )
    return others if len(others) > 1 else ()


def _listed(
    out: Path, jobs: Sequence[_Job], pages: Sequence[ScrollPage], unread: Sequence[UnreadSeries]
) -> Path:
    """Write index.html; pages that were not written leave the switches of the others."""
    written = {page.page: page for page in pages}
    why = {series.series_uid: f"{series.reason}: {series.detail}" for series in unread}
    missing = [job.page.name for job in jobs if job.page not in written]
    if missing:
        for page in pages:
            leave_out_of_switch(page.page, missing)
    return write_scroll_index(
        out,
        [
            ListedPage(
                study=job.rows["StudyInstanceUID"][0] or "",
                file=job.page.name,
                name=series_name(job.rows),
                slices=written[job.page].slices if job.page in written else 0,
                unusual=tuple(issue.name.replace("_", " ") for issue in written[job.page].issues)
                if job.page in written
                else (),
                unread="" if job.page in written else why[job.rows["SeriesInstanceUID"][0]],
            )
            for job in jobs
        ],
    )


def _without(ranked: Sequence[SeriesScore], taken: pl.DataFrame) -> list[SeriesScore]:
    """Return the others, also one of another study that has the same UID."""
    others = list(ranked)
    own = (taken["SeriesInstanceUID"][0], taken.height)
    others.remove(next(score for score in ranked if (score.series_uid, score.slices) == own))
    return others


def _written(
    jobs: Sequence[_Job], workers: int | None, report: Report
) -> tuple[list[ScrollPage], list[UnreadSeries]]:
    """Return the pages and the series that could not be read; raise for a single one."""
    slices = max(job.rows.height for job in jobs)
    count = min(len(jobs), workers or available_cores())
    pages: list[ScrollPage] = []
    unread: list[UnreadSeries] = []
    results = parallel_map(_page, jobs, count, Limits(seconds=_BASE_S + _SLICE_S * slices))
    for done, (job, result) in enumerate(zip(jobs, results, strict=True), 1):
        if isinstance(result, ScrollPage):
            pages.append(result)
        elif len(jobs) == 1:
            raise RejectError(result.reason, result.detail)
        else:
            uid = job.rows["SeriesInstanceUID"][0]
            unread.append(UnreadSeries(uid, result.reason, result.detail))
        report("pages", done, len(jobs))
    return pages, unread


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a series; an image without one gets its own UID as series."""
    uid = pl.coalesce("SeriesInstanceUID", "SOPInstanceUID", pl.lit("unnamed"))
    return rows.with_columns(SeriesInstanceUID=uid)


def choose_series(
    found: Sequence[pl.DataFrame], ranked: Sequence[SeriesScore], uid: str | None
) -> pl.DataFrame:
    """Return the rows of the series of a UID, or of the best; ValueError lists the series."""
    wanted = ranked[0].series_uid if uid is None else uid
    own = [rows for rows in found if rows["SeriesInstanceUID"][0] == wanted]
    if own:
        return max(own, key=len)  # of two studies that give one UID the longer series
    listed = ", ".join(score.series_uid for score in ranked[:_MOST_NAMED])
    more = f" and {len(ranked) - _MOST_NAMED} more" if len(ranked) > _MOST_NAMED else ""
    raise ValueError(f"no series {uid}; there are: {listed}{more}")


def _page(job: _Job) -> ScrollPage | RejectError:
    """Read, code and write one series; a process of its own, which a decoder may end."""
    try:
        volume = volume_from_rows(job.rows)
    except RejectError as error:
        return error
    overlays = tuple(
        Overlay(name, inside)
        for path in job.masks
        for name, inside in read_masks(path, volume).items()
    )
    content = replace(page_content(volume, job.rows, overlays, job.window), others=job.others)
    if job.refused:  # their series is not known
        refused = ("Refused", f"{job.refused} of the files given")
        content = replace(content, facts=(*content.facts, refused))
    size = write_scroll_page(job.page, content, job.most_bytes)
    return ScrollPage(
        page=job.page,
        series_uid=job.rows["SeriesInstanceUID"][0],
        modality=job.rows["Modality"][0] or "",
        slices=len(volume.hu),
        bytes=size,
        issues=content.issues,
    )


def _file_names(found: Sequence[pl.DataFrame]) -> list[str]:
    """Return a file name for each series, its UID; a UID of two studies gets a number."""
    stems = [safe_name(rows["SeriesInstanceUID"][0]) for rows in found]
    taken = ["index", *stems]  # index.html lists the pages
    before = [taken[: place + 1].count(stem) for place, stem in enumerate(stems)]
    pairs = zip(stems, before, strict=True)
    return [f"{stem}~{again + 1}.html" if again else f"{stem}.html" for stem, again in pairs]
