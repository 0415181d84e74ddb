"""verbs/predict/scroll_pages.py: pages to scroll the most urgent studies, and links to key
slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import polars as pl

from wetread.archive.files.atomic import write_whole
from wetread.archive.files.scratch import scratch_folder
from wetread.archive.rejects import RejectError
from wetread.inputs.progress import Report, silent
from wetread.outputs.uid_names import safe_name
from wetread.outputs.worklist import by_urgency
from wetread.prediction.reading import Reading
from wetread.verbs.scroll.scroll import scroll

FOLDER = "scroll"


@dataclass(frozen=True, eq=False)
class ScrollPages:
    """Material of pages to scroll: rows of the index, the finding that orders studies, how many of
    the most urgent get one, and by study the masks of its series to lay over it, NIfTI files."""

    images: pl.DataFrame
    headline: str
    count: int
    workers: int | None
    masks: Mapping[str, Sequence[Path]] = field(default_factory=dict)


def link_scroll_pages(
    readings: Sequence[Reading], out: Path, pages: ScrollPages, report: Report = silent
) -> tuple[list[Reading], dict[str, str]]:
    """Write out/scroll/STUDY.html of the most urgent studies. Return the readings in their order,
    those of these studies with links to key slices; and study to the reason where a page cannot be
    made."""
    urgent = [one for one in by_urgency(readings, pages.headline) if one.study][: pages.count]
    linked: dict[str, Reading] = {}
    unmade: dict[str, str] = {}
    for done, reading in enumerate(urgent):
        report("scroll", done, len(urgent))
        name = f"{safe_name(reading.study_uid)}.html"
        reason = _unmade(reading, pages, out / FOLDER / name)
        if reason is None:
            linked[reading.study_uid] = replace(reading, links=slice_links(reading, name))
        else:
            unmade[reading.study_uid] = reason
    if urgent:
        report("scroll", len(urgent), len(urgent))
    return [linked.get(one.study_uid, one) for one in readings], unmade


def slice_links(reading: Reading, name: str) -> dict[str, str]:
    """Map each key slice to its address in the page `name`, from the folder of readings on."""
    page = f"../{FOLDER}/{quote(name)}"
    return {uid: f"{page}#sop={quote(uid, safe='')}" for uid in reading.key_slices}


def _unmade(reading: Reading, pages: ScrollPages, page: Path) -> str | None:
    """Write the page of the study's series; the reason where it could not be made, else None."""
    series = pages.images.filter(
        pl.col("StudyInstanceUID").eq_missing(reading.study_uid),
        pl.col("SeriesInstanceUID").eq_missing(reading.series_uid),
    )
    with scratch_folder() as folder:
        index = folder / "index.parquet"
        series.write_parquet(index)
        try:
            made = folder / page.name
            masks = pages.masks.get(reading.study_uid, ())
            scroll([index], made, masks=masks, workers=pages.workers)  # by a process of its own
            write_whole(page, made.read_bytes())
        except (RejectError, ValueError) as error:  # among these that it would be too large
            page.unlink(missing_ok=True)  # of an earlier run, of other pixels
            return str(error).replace(f"{index}: ", "").replace(f"{made}: ", "")
    return None
