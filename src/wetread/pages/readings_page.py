"""pages/readings_page.py: readings, most urgent first, as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wetread.archive.files.atomic import write_whole
from wetread.pages.environment import page_environment
from wetread.pages.page import USE
from wetread.pages.panel import Panel

TEMPLATE = "readings_page.html.j2"


@dataclass(frozen=True, eq=False)
class KeySlice:
    """A slice that stands for its study.

    where: its place, as text. finding: of which the probability is.
    link:  the slice's address in a page to scroll, from this page on; empty where there is none.
    """

    uid: str
    where: str
    probability: float
    finding: str
    panels: tuple[Panel, ...]
    mask: str = ""
    link: str = ""


@dataclass(frozen=True, eq=False)
class WorklistRow:
    """A line of the worklist; values are of the findings, in their order, None where unread.

    flagged: whether it reaches the threshold that was asked for.
    anchor: of its pictures on this page, else empty. reason: why it was left unread, as text.
    placement: whether it is inside of that which was learned, in a word.
    """

    rank: int
    study_uid: str
    state: str
    reason: str
    values: tuple[float | None, ...]
    slices: int
    rejects: int
    issues: int
    anchor: str = ""
    flagged: bool = False
    placement: str = "not known"


@dataclass(frozen=True, eq=False)
class StudyEntry:
    """A study with its pictures. command: makes the page to scroll it, where there is none yet.
    outside: why it is outside of that which was learned. short_cautions: in few words, for where
    its numbers stand."""

    row: WorklistRow
    series_uid: str
    key_slices: tuple[KeySlice, ...]
    notes: tuple[str, ...]
    scroll: str = ""
    command: str = ""
    outside: tuple[str, ...] = ()
    short_cautions: str = ""


@dataclass(frozen=True)
class Refusals:
    """Files that could not be read for one reason: how many, and the first of them in full."""

    reason: str
    words: str
    count: int
    files: tuple[tuple[str, str], ...]  # path, detail


@dataclass(frozen=True, eq=False)
class ReadingsContent:
    """The content of the page; empty parts are left out.

    cautions: sentences, and in few words for where a number stands: short_cautions.
    origins:  what the models learned from and were scored on, in words.
    worklist: all studies, the most urgent first, or the first of them; left_out: how many more.
    links:    names and addresses, from the page on, of the files next to it.
    scaling:  sentences of how the probabilities were scaled, and from where on studies are flagged.
    """

    title: str
    summary: str
    badge: str
    cautions: tuple[str, ...]
    findings: tuple[str, ...]
    worklist: tuple[WorklistRow, ...]
    left_out: int
    studies: tuple[StudyEntry, ...]
    refused: tuple[Refusals, ...]
    links: Mapping[str, str]
    provenance: Mapping[str, object]
    scaling: tuple[str, ...] = ()
    short_cautions: str = ""
    origins: tuple[str, ...] = ()

    @property
    def sides(self) -> bool:
        """Whether any picture has letters of the patient's sides."""
        return any(panel.left for panel in self._panels)

    @property
    def glow(self) -> bool:
        """Whether any picture glows where it speaks for a finding."""
        return any(panel.label.startswith("the glow") for panel in self._panels)

    @property
    def _panels(self) -> list[Panel]:
        keys = [key for study in self.studies for key in study.key_slices]
        return [panel for key in keys for panel in key.panels]


def write_readings_page(path: Path, content: ReadingsContent) -> None:
    """Write the page; one file, no script, no request to anywhere."""
    html = page_environment().get_template(TEMPLATE).render(page=content, use=USE)
    write_whole(path, html.encode("utf-8", "backslashreplace"))
