"""verbs/task/new.py: a label file, and an index beside it, in; the draft of a task's file out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wetread.archive.executor.workers import select_workers
from wetread.archive.files.atomic import write_output
from wetread.archive.types import StrPath
from wetread.inputs.progress import Report, silent
from wetread.inputs.sources import open_source
from wetread.tasks import build_task
from wetread.verbs.task.draft import Draft, draft_task
from wetread.verbs.task.draft_text import draft_text
from wetread.verbs.task.profile import read_profile


@dataclass(frozen=True, eq=False)
class NewTask:
    """A task's file that was drafted, and what was found."""

    out: Path
    draft: Draft
    rows: int

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return {
            "out": str(self.out),
            "rows": self.rows,
            "level": self.draft.level,
            "labels": self.draft.labels,
            "modalities": list(self.draft.modalities),
            "findings": {
                one.name: {"positive": one.positive, "known": one.known}
                for one in self.draft.findings
            },
            "groups": [list(group) for group in self.draft.groups],
        }


def new_task(
    labels: StrPath,
    out: StrPath,
    *,
    data: StrPath | None = None,
    workers: int | None = None,
    report: Report = silent,
) -> NewTask:
    """Draft a task's file of a label file: which column holds which ids, which hold findings, at
    which level, in which layout; comments say what was guessed, and why.

    labels: CSV, TSV, packed or not. out: the file to write, .toml. data: the index (.parquet) of
    the images, or the images; without it ids are guessed by the names of columns.

    Raises LabelError where no column looks like labels or ids, ValueError where out has another
    ending or is there already: a task's file is edited by hand.
    """
    out, path = Path(out), Path(labels)
    if out.suffix != ".toml":
        raise ValueError(f"{out}: a task's file ends in .toml")
    if out.exists():
        raise ValueError(f"{out} is there already; give another name, or remove it")
    profile = read_profile(path)
    draft = draft_task(profile, _images(data, workers, report))
    text = draft_text(draft, out.stem)
    build_task(text, str(out), out.stem)  # what is drafted can be read
    write_output(out, text.encode())
    return NewTask(out, draft, profile.rows)


def _images(data: StrPath | None, workers: int | None, report: Report) -> pl.DataFrame | None:
    if data is None:
        return None
    return open_source(Path(data), select_workers(workers, None), report).images
