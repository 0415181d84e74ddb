"""verbs/scroll.py: a series becomes one HTML page to scroll."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from wetread.archive.guard import Limits, Lost
from wetread.archive.index import build_index
from wetread.archive.luts import Table, read_voi
from wetread.archive.rejects import RejectError
from wetread.archive.workers import chosen_workers, each
from wetread.outputs.scroll_page import Overlay, Preset, ScrollContent, write_scroll_page
from wetread.study.choice import ANY, SeriesScore, rank_series
from wetread.study.issues import Issue
from wetread.study.series import series_slices
from wetread.study.voi import full_range
from wetread.study.volume import Volume, read_volume
from wetread.verbs.progress import Report, silent, stage
from wetread.verbs.volume_masks import read_masks
from wetread.view.window import WINDOWS, Window, find_window

MOST_MB = 400.0  # browsers open larger pages slowly, or not at all
# The windows that come first for a part of the body; the others follow.
SUITED: dict[str, tuple[str, ...]] = {
    "HEAD": ("brain", "subdural", "stroke", "soft_head", "bone", "temporal_bone"),
    "CHEST": ("mediastinum", "lung", "pulmonary", "chest_bone", "lung_wide"),
    "ABDOMEN": ("abdomen", "liver", "mediastinum", "lung"),
    "SPINE": ("spine_soft", "spine_bone"),
    "": ("brain", "subdural", "bone", "lung", "mediastinum", "pulmonary", "abdomen"),
}
CURVE_OF = {"LINEAR": "linear", "LINEAR_EXACT": "linear_exact", "SIGMOID": "sigmoid"}
_TOLD = 10  # series in an error; the others are counted
_BASE_S, _SLICE_S = 120.0, 2.0  # what a series may take


@dataclass(frozen=True)
class ScrollPage:
    """One page: of which series, how many slices and bytes, what is unusual."""

    page: Path
    series_uid: str
    modality: str
    slices: int
    bytes: int
    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class Scrolled:
    """The pages; the other series that there are, best first; how many files were refused."""

    pages: tuple[ScrollPage, ...]
    others: tuple[SeriesScore, ...]
    refused: int

    def as_dict(self) -> dict[str, Any]:
        """What `scroll --json` prints."""
        return {
            "pages": [
                {
                    "page": str(one.page),
                    "series_uid": one.series_uid,
                    "modality": one.modality,
                    "slices": one.slices,
                    "bytes": one.bytes,
                    "issues": [{"name": i.name, "detail": i.detail} for i in one.issues],
                }
                for one in self.pages
            ],
            "others": [
                {"series_uid": one.series_uid, "slices": one.slices, "reasons": list(one.reasons)}
                for one in self.others
            ],
            "refused": self.refused,
        }


@dataclass(frozen=True, eq=False)
class _Job:
    """One page to write: of these rows, into this file."""

    rows: pl.DataFrame
    page: Path
    masks: tuple[Path, ...]
    window: Window | None
    window_name: str
    most_bytes: int


def scroll(
    sources: Sequence[Path],
    out: Path,
    *,
    series: str | None = None,
    masks: Sequence[Path] = (),
    window: str | None = None,
    every_series: bool = False,
    most_mb: float = MOST_MB,
    workers: int | None = None,
    report: Report = silent,
) -> Scrolled:
    """Write a page to scroll the best series of the sources, or the one named.

    out:          the page; with every_series a folder, a page a series named by its UID.
    masks:        NIfTI or NPY files in the series' own space.
    window:       shown first, a name or center/width; else the file's own, else one that suits.
    most_mb:      a larger page is refused.
    Errors: FileNotFoundError; ValueError for a series that is not there, a mask that does not fit,
    a page too large; RejectError where no slice of the series can be read.
    """
    for source in (*sources, *masks):
        if not source.exists():
            raise FileNotFoundError(f"{source} does not exist; give folders, zip files or files")
    if every_series and (masks or series):
        raise ValueError("--mask and --series are of one series; leave out --all")
    shown = None if window is None else find_window(window)
    with TemporaryDirectory(prefix="wetread-scroll-") as folder:
        index = build_index(
            sources,
            Path(folder) / "index.parquet",
            workers=chosen_workers(workers, None),
            progress=stage(report, "index"),
        )
        found = series_slices(index.images)
        refused = index.rejects.filter(pl.col("reason") != "not_dicom").height
    if not found:
        raise ValueError(f"no image in {', '.join(map(str, sources))}; wetread show says why")
    ranked = rank_series(found, ANY)
    wanted = found if every_series else [chosen(found, ranked, series)]
    jobs = [
        _Job(
            rows=rows,
            page=out / f"{_file_name(series_uid(rows))}.html" if every_series else out,
            masks=tuple(masks),
            window=shown,
            window_name=window or "",
            most_bytes=int(most_mb * 1e6),
        )
        for rows in wanted
    ]
    pages, lost = _written(jobs, workers, report)
    shown_uids = {page.series_uid for page in pages}
    others = () if every_series else tuple(o for o in ranked if o.series_uid not in shown_uids)
    unread = sum(issue.name == "slices_rejected" for page in pages for issue in page.issues)
    return Scrolled(tuple(pages), others, refused + lost + unread)


def _written(
    jobs: Sequence[_Job], workers: int | None, report: Report
) -> tuple[list[ScrollPage], int]:
    """(the pages, the number of series that could not be read); of one series alone the error."""
    slices = max(job.rows.height for job in jobs)
    count = min(len(jobs), workers or 2)
    pages: list[ScrollPage] = []
    results = each(_page, jobs, count, Limits(seconds=_BASE_S + _SLICE_S * slices))
    for done, result in enumerate(results, 1):
        if isinstance(result, Lost):
            result = RejectError(result.reason, result.detail)
        if isinstance(result, ScrollPage):
            pages.append(result)
        elif len(jobs) == 1:
            raise result
        report("pages", done, len(jobs))
    return pages, len(jobs) - len(pages)


def chosen(
    found: Sequence[pl.DataFrame], ranked: Sequence[SeriesScore], uid: str | None
) -> pl.DataFrame:
    """The rows of the series of that UID, or of the best one; ValueError names what there is."""
    wanted = ranked[0].series_uid if uid is None else uid
    for rows in found:
        # an image without a series is named by its own UID
        if wanted in (rows["SeriesInstanceUID"][0] or "", series_uid(rows)):
            return rows
    told = ", ".join(series_uid(rows) for rows in found[:_TOLD])
    more = f" and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    raise ValueError(f"no series {uid}; there are: {told}{more}")


def series_uid(rows: pl.DataFrame) -> str:
    """The UID of a series' rows; of an image without one its own."""
    return str(rows["SeriesInstanceUID"][0] or rows["SOPInstanceUID"][0] or "")


def _page(job: _Job) -> ScrollPage | RejectError:
    """Read, code and write one series; a process of its own, which a decoder may end."""
    try:
        volume = read_volume(job.rows)
    except RejectError as error:
        return error
    overlays = tuple(
        Overlay(name, inside)
        for path in job.masks
        for name, inside in read_masks(path, volume).items()
    )
    start = first_slice(volume, overlays)
    row = row_of(job.rows, volume.sources[start])
    presets = list(presets_of(volume, row))
    preset = 0
    if job.window is not None:
        own = Preset(job.window_name, job.window)
        preset = presets.index(own) if own in presets else 0
        presets = presets if own in presets else [own, *presets]
    content = ScrollContent(
        title=title_of(row, len(volume.hu)),
        volume=volume,
        presets=tuple(presets),
        preset=preset,
        start=start,
        inverted=row["PhotometricInterpretation"] == "MONOCHROME1",
        overlays=overlays,
        facts=tuple(facts_of(volume, row)),
    )
    size = write_scroll_page(job.page, content, job.most_bytes)
    return ScrollPage(
        page=job.page,
        series_uid=series_uid(job.rows),
        modality=row["Modality"] or "",
        slices=len(volume.hu),
        bytes=size,
        issues=volume.issues,
    )


def row_of(rows: pl.DataFrame, source: str) -> Mapping[str, Any]:
    """The row of a slice by its SOP Instance UID; the first row where it has none."""
    own = rows.filter(pl.col("SOPInstanceUID") == source)
    return (own if own.height else rows).row(0, named=True)


def first_slice(volume: Volume, overlays: Sequence[Overlay]) -> int:
    """The slice where the masks are largest, else the middle one."""
    area = np.zeros(len(volume.hu), np.int64)
    for overlay in overlays:
        area += overlay.inside.sum(axis=(1, 2))
    return int(area.argmax()) if area.any() else len(area) // 2


def presets_of(volume: Volume, row: Mapping[str, Any]) -> Sequence[Preset]:
    """The windows to choose from, the first one to begin with: the file's own; for HU the table,
    what suits the part of the body first; for grey the whole range of the values."""
    own = _of_file(row)
    if volume.unit != "HU":
        whole = full_range(volume.hu)
        return [*own, Preset("whole range", Window(whole.center, whole.width))]
    part = (row["BodyPartExamined"] or "").upper()
    first = next(names for word, names in SUITED.items() if word in part)
    names = [*first, *(name for name in WINDOWS if name not in (*first, "display"))]
    return [*own, *(Preset(name, WINDOWS[name]) for name in names)]


def _of_file(row: Mapping[str, Any]) -> list[Preset]:
    """The header's windows, each once; none where they cannot be used, or are a table."""
    try:
        voi = read_voi(row)
        if voi is None or isinstance(voi, Table):
            return []
        curve = CURVE_OF[voi.function]
        pairs = zip(row["WindowCenter"], row["WindowWidth"], strict=False)
        windows = list(dict.fromkeys(Window(center, width, curve) for center, width in pairs))
    except (RejectError, ValueError):
        return []
    return [Preset(f"file {k + 1}" if k else "file", window) for k, window in enumerate(windows)]


def title_of(row: Mapping[str, Any], slices: int) -> str:
    """`CT chest, 100 slices`."""
    what = " ".join(
        part for part in (row["Modality"], (row["BodyPartExamined"] or "").lower()) if part
    )
    return f"{what or 'Series'}, {slices} {'slice' if slices == 1 else 'slices'}"


def facts_of(volume: Volume, row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is said of the series beside the picture; nothing that names a patient."""
    slices, rows, columns = volume.hu.shape
    down, across = volume.place.spacing_mm
    apart = np.unique(np.round(np.diff(volume.positions_mm), 2)) if slices > 1 else np.array([])
    distance = f"{apart[0]:g}" if len(set(apart)) == 1 else f"{apart.min(initial=np.inf):g} to "
    if len(set(apart)) > 1:
        distance += f"{apart.max():g}"
    known = np.isfinite(apart).all() and len(apart) > 0
    facts = [
        ("Matrix", f"{columns} × {rows}"),
        ("Pixels", f"{across:.4g} × {down:.4g} mm" if np.isfinite(down) else "size not known"),
        ("Distance", f"{distance} mm" if known else ""),
        ("Thickness", f"{row['SliceThickness']:g} mm" if row["SliceThickness"] else ""),
        ("Kernel", row["ConvolutionKernel"] or ""),
        ("Series", row["SeriesInstanceUID"] or ""),
    ]
    return [(name, said) for name, said in facts if said]


def _file_name(uid: str) -> str:
    """A UID as a file name: what a path cannot hold, or could climb with, becomes an underscore."""
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in uid).lstrip(".") or "_"
