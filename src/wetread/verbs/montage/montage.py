"""verbs/montage/montage.py: slices side by side as one PNG: a study, findings, windows, repairs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wetread.archive.executor.isolated_process import LostItem
from wetread.archive.executor.workers import parallel_map, select_workers
from wetread.archive.files.atomic import write_output
from wetread.archive.rejects import RejectError
from wetread.archive.types import StrPath
from wetread.inputs.label_file import read_label_file
from wetread.inputs.label_ids import place_labels
from wetread.inputs.progress import Report, silent
from wetread.inputs.sources import open_source
from wetread.outputs.pictures import png_bytes
from wetread.outputs.sides import side_label
from wetread.pages.montages import MontagePanel, montage_grid
from wetread.tasks import find_task
from wetread.verbs.montage.layouts import LAYOUTS, MontageOptions
from wetread.verbs.montage.panels import PanelRequest, render_panel
from wetread.view.mode import find_mode

MOST_PANELS = 1000  # of one picture


@dataclass(frozen=True)
class PanelRecord:
    """One panel of the picture for machines: its image, its lines, and why it was refused."""

    instance: str | None
    lines: tuple[str, ...]
    refused: str | None = None


@dataclass(frozen=True)
class MontageResult:
    """The picture's path, its panels in reading order, and the number of files refused."""

    picture: Path
    columns: int
    panels: tuple[PanelRecord, ...]
    refused: int

    def to_dict(self) -> dict[str, object]:
        """Return the fields as plain values, for JSON."""
        panels = [
            {"instance": record.instance, "lines": list(record.lines), "refused": record.refused}
            for record in self.panels
        ]
        records = {"picture": str(self.picture), "columns": self.columns, "refused": self.refused}
        return {**records, "panels": panels}


def montage(
    source: StrPath,
    out: StrPath,
    *,
    layout: str = "study",
    windows: Sequence[str] = (),
    columns: int | None = None,
    count: int | None = None,
    series: str | None = None,
    labels: StrPath | None = None,
    task: str | None = None,
    seed: int = 0,
    size: int = 256,
    as_hu: bool = False,
    workers: int | None = None,
    report: Report = silent,
) -> MontageResult:
    """Write one PNG of slices side by side; its texts name finding and place, no patient.

    source: a folder, zip, tar or file, or an index (.parquet).
    out: the picture.
    layout: study (the slices of a series, all or `count` evenly), random (of the archive, drawn by
        `seed`), findings (a positive slice of each finding of `labels`, in several windows),
        windows (as stored next to windowed), repair (before and after a wrong intercept is
        repaired).
    windows: modes or windows by name; default: the header's own, and for findings and windows
        brain, subdural and bone as well.
    columns: panels in a row; None: what the layout takes. size: of a panel, pixels.
    series: a SeriesInstanceUID; None: the series that suits best.
    labels: a label file, read as `task` reads it.
    as_hu: take CT whose header does not say HU as HU; else windows of HU refuse it.
    workers: processes; None: all cores. report: called with (stage, done, total).

    A slice that cannot be read is a black panel that says why. Raises ValueError,
    FileNotFoundError, and RejectError where there is nothing to show.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"no layout {layout!r}; known: {', '.join(LAYOUTS)}")
    for name in windows:
        find_mode(name)
    options = MontageOptions(tuple(windows), columns, count, series, seed=seed, size=size)
    if labels is not None:
        if task is None:
            raise ValueError(f"{labels}: name the task whose labels these are, `task=NAME`")
        chosen = find_task(task)
        table = read_label_file(os.fspath(labels), chosen, None)
        options = replace(options, labels=table, findings=chosen.findings)
    pool = select_workers(workers, None)
    opened = open_source(Path(source), pool, report, as_hu=as_hu)
    if labels is not None:
        placed, _ = place_labels(table, chosen, opened.images)
        options = replace(options, labels=placed)
    found = LAYOUTS[layout](opened, options)
    if len(found.requests) > MOST_PANELS:
        raise ValueError(
            f"{len(found.requests)} panels are more than {MOST_PANELS}; give a `count`"
        )
    panels, records = [], []
    answers = parallel_map(render_panel, found.requests, pool)
    for number, (request, answer) in enumerate(zip(found.requests, answers, strict=True), start=1):
        instance = request.rows[0]["SOPInstanceUID"] if request.rows else None
        if isinstance(answer, LostItem | RejectError):
            panels.append(MontagePanel(None, (*request.lines, f"cannot be read: {answer.reason}")))
            records.append(PanelRecord(instance, request.lines, answer.reason))
        else:
            panels.append(MontagePanel(answer, _with_sides(request)))
            records.append(PanelRecord(instance, request.lines))
        report("montage", number, len(found.requests))
    out = Path(out)
    write_output(out, png_bytes(montage_grid(panels, found.columns)))
    lost = {record.instance for record in records if record.refused}
    return MontageResult(out, found.columns, tuple(records), opened.refused + len(lost))


def _with_sides(request: PanelRequest) -> tuple[str, ...]:
    """Return a panel's lines, the last with the patient's sides at its left and right edge."""
    words = side_label(request.rows[0]["orientation"]) if request.rows else ""
    *before, last = request.lines or ("",)
    return (*before, f"{last}   {words}".strip()) if words and request.lines else request.lines
