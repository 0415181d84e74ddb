"""verbs/predict/page.py: the page of readings: worklist, key slices, refused files, provenance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wetread.archive.plural import plural
from wetread.archive.rejects import REASONS, Reject
from wetread.archive.types import JsonObject
from wetread.outputs.worklist import by_urgency
from wetread.pages.environment import spaced_words
from wetread.pages.panel import window_label
from wetread.pages.readings_page import (
    ReadingsContent,
    Refusals,
    WorklistRow,
    write_readings_page,
)
from wetread.prediction.cautions import CAUTIONS, short_cautions
from wetread.prediction.members import Ensemble
from wetread.prediction.operating import point_sentence
from wetread.prediction.reading import Reading
from wetread.verbs.predict.read_archive import ReadArchive
from wetread.verbs.predict.study_pictures import StudyPictures

PAGE = "page.html"
STUDIES = 50  # with pictures: some 10 MB
ROWS = 1000  # of the worklist on the page
FILES = 20  # of one reason, in full


@dataclass(frozen=True, eq=False)
class ReadingsPageInputs:
    """Readings of an archive, and the files that it has besides.

    read:       the archive and the answers about it.
    rejects:    all files that could not be used.
    unscrolled: studies whose page to scroll could not be made, with the reason.
    """

    read: ReadArchive
    readings: Sequence[Reading]
    rejects: Sequence[Reject]
    unscrolled: Mapping[str, str] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[str, ...]:
        """The findings of studies, the headline first."""
        headline = self.read.task.headline
        return (headline, *(name for name in self.read.names.study if name != headline))

    @property
    def ensemble(self) -> Ensemble:
        """The networks that read."""
        return self.read.reader.ensemble


def write_predict_page(out: Path, inputs: ReadingsPageInputs, name: str = PAGE) -> None:
    """Write out/name: the worklist, the most urgent studies' key slices as pictures, the files that
    could not be read, and the provenance."""
    ordered = by_urgency(inputs.readings, inputs.read.task.headline)
    read = [reading for reading in ordered if reading.study]
    anchors = {one.study_uid: f"s{number}" for number, one in enumerate(read[:STUDIES], 1)}
    rows = [
        _row(rank, one, inputs.findings, anchors.get(one.study_uid, ""))
        for rank, one in enumerate(ordered, 1)
    ]
    row_of = {row.study_uid: row for row in rows}
    pictures = StudyPictures.of(out, inputs.read, inputs.unscrolled)
    studies = tuple(pictures.study(one, row_of[one.study_uid]) for one in read[:STUDIES])
    write_readings_page(
        out / name,
        ReadingsContent(
            title=f"{inputs.read.task.title}: readings",
            summary=_summary(inputs),
            badge=_badge(inputs.ensemble),
            cautions=_cautions(inputs.readings),
            short_cautions=short_cautions(inputs.ensemble.cautions),
            origins=inputs.ensemble.origins,
            findings=inputs.findings,
            worklist=tuple(rows[:ROWS]),
            left_out=max(0, len(rows) - ROWS),
            studies=studies,
            refused=_refused(inputs.rejects),
            links=_links(out, name),
            provenance=_provenance(inputs.readings, inputs.ensemble),
            scaling=scaling_sentences(inputs.ensemble, inputs.read.task.headline),
        ),
    )


def _row(rank: int, reading: Reading, findings: Sequence[str], anchor: str) -> WorklistRow:
    words = REASONS.get(reading.reason or "", (reading.reason or "").replace("_", " "))
    return WorklistRow(
        rank=rank,
        study_uid=reading.study_uid or "without StudyInstanceUID",
        state=reading.state,
        reason=": ".join(part for part in (words, reading.detail) if part),
        values=tuple(reading.study.get(name) for name in findings),
        slices=len(reading.slices),
        rejects=len(reading.rejects),
        issues=len(reading.issues),
        anchor=anchor,
        flagged=bool(reading.flagged),
        placement=reading.placement.word,
    )


def scaling_sentences(ensemble: Ensemble, headline: str) -> tuple[str, ...]:
    """Say how an ensemble's probabilities were scaled, and from where on studies are flagged."""
    point = ensemble.point
    flag = () if point is None else (point_sentence(point, spaced_words(headline)),)
    weighed = () if ensemble.run_weights is None else (ensemble.run_weights.sentence(),)
    return (*weighed, *ensemble.scalings.sentences(), *flag)


def _summary(inputs: ReadingsPageInputs) -> str:
    """Count studies and images, and how many of them were read, in a sentence."""
    readings = inputs.readings
    unread = sum(one.state == "unread" for one in readings)
    refused = sum(one.reason != "not_dicom" for one in inputs.rejects)
    sentence = (
        f"{plural(len(readings), 'study')}, {plural(len(inputs.read.store), 'image')}: "
        f"{plural(len(readings) - unread, 'study')} read, {unread} unread; "
        f"{plural(refused, 'file')} not read."
    )
    others = len(inputs.rejects) - refused
    return f"{sentence} {plural(others, 'file')} not DICOM." if others else sentence


def _badge(ensemble: Ensemble) -> str:
    return short_cautions(ensemble.cautions[:1])


def _cautions(readings: Sequence[Reading]) -> tuple[str, ...]:
    found = Counter(name for reading in readings for name in reading.cautions)
    return tuple(
        CAUTIONS.get(name, name.replace("_", " ")).capitalize()
        + ("." if count == len(readings) else f" ({count} of {plural(len(readings), 'study')}).")
        for name, count in found.items()
    )


def _refused(rejects: Sequence[Reject]) -> tuple[Refusals, ...]:
    """Group the files that are DICOM by the reason why they were refused, the commonest first."""
    reasons = Counter(one.reason for one in rejects if one.reason != "not_dicom")
    return tuple(
        Refusals(
            reason,
            REASONS.get(reason, ""),
            count,
            tuple(
                (one.path if one.member is None else f"{one.path} › {one.member}", one.detail)
                for one in rejects
                if one.reason == reason
            )[:FILES],
        )
        for reason, count in reasons.most_common()
    )


def _links(out: Path, name: str) -> dict[str, str]:
    """Name and link the files next to the page."""
    files = ("worklist.csv", "probabilities.csv", "submission.csv", "rejects.csv", "readings")
    links = {file: file for file in files if (out / file).exists()}
    if name != PAGE:
        links = {"how good the models are": PAGE, **links}
    return links


def _provenance(readings: Sequence[Reading], ensemble: Ensemble) -> JsonObject:
    """Return the provenance that the readings carry, in words."""
    first: JsonObject = readings[0].provenance if readings else {}
    models = [f"{one['checkpoint']} ({one['encoder']})" for one in first.get("models", ())]
    windows = [window_label(window) for window in ensemble.members[0].model.view.windows]
    kept: JsonObject = {key: first[key] for key in ("wetread", "task", "masks") if key in first}
    return {**kept, "models": models, "windows": windows, "slices seen at": f"{ensemble.size} px"}
