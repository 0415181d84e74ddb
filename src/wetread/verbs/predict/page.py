"""verbs/predict/page.py: readings and what was read of them in, the page that people open out."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wetread.archive.plural import plural
from wetread.archive.rejects import REASONS, Reject
from wetread.labels.finding import finding_names
from wetread.outputs.pictures import PREDICTION_COLOR, heated, jpeg_bytes, outlined, panels
from wetread.outputs.uid_names import safe_name
from wetread.outputs.worklist import by_urgency
from wetread.pages.panel import Panel, window_label
from wetread.pages.readings_page import (
    KeySlice,
    ReadingsContent,
    Refusals,
    StudyEntry,
    WorklistRow,
    write_readings_page,
)
from wetread.prediction.cautions import CAUTIONS
from wetread.prediction.ensemble import Ensemble
from wetread.prediction.reading import Reading, SliceReading
from wetread.reports.heat import mean_heat_map
from wetread.reports.slice_panels import EdgeLetters, series_edge_letters
from wetread.study.boxes import PixelBox
from wetread.training.device import seeded_runtime
from wetread.verbs.predict.read_archive import ReadArchive
from wetread.view.crop import crop_and_resize
from wetread.view.window import apply_window, as_uint8

PAGE = "page.html"
STUDIES = 50  # with pictures: some 10 MB
PICTURES = 3  # key slices of a study
SIDE = 320  # pixels
ROWS = 1000  # of the worklist on the page
FILES = 20  # of one reason, in full


@dataclass(frozen=True, eq=False)
class ReadingsPageInputs:
    """What the page of readings is made of.

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
    """Write out/name: the worklist, the most urgent studies' key slices as pictures with what
    speaks for them, what could not be read, and where it all came from."""
    ordered = by_urgency(inputs.readings, inputs.read.task.headline)
    read = [reading for reading in ordered if reading.study]
    anchors = {one.study_uid: f"s{number}" for number, one in enumerate(read[:STUDIES], 1)}
    rows = [
        _row(rank, one, inputs.findings, anchors.get(one.study_uid, ""))
        for rank, one in enumerate(ordered, 1)
    ]
    row_of = {row.study_uid: row for row in rows}
    shown = _StudyPictures.of(out, inputs)
    with seeded_runtime(inputs.ensemble.members[0].model.recipe, torch.device("cpu")):
        studies = tuple(shown.study(one, row_of[one.study_uid]) for one in read[:STUDIES])
    write_readings_page(
        out / name,
        ReadingsContent(
            title=f"{inputs.read.task.title}: readings",
            summary=_summary(inputs),
            badge=_badge(inputs.ensemble),
            cautions=_cautions(inputs.readings),
            findings=inputs.findings,
            worklist=tuple(rows[:ROWS]),
            left_out=max(0, len(rows) - ROWS),
            studies=studies,
            refused=_refused(inputs.rejects),
            links=_links(out, name),
            provenance=_provenance(inputs.readings, inputs.ensemble),
        ),
    )


@dataclass(frozen=True, eq=False)
class _StudyPictures:
    """The sources of the studies' pictures."""

    out: Path
    inputs: ReadingsPageInputs
    row: Mapping[str, int]
    number: Mapping[str, int | None]
    sides: EdgeLetters

    @staticmethod
    def of(out: Path, inputs: ReadingsPageInputs) -> _StudyPictures:
        uids = inputs.read.store.slices["SOPInstanceUID"].to_list()
        return _StudyPictures(
            out=out,
            inputs=inputs,
            row={uid: row for row, uid in enumerate(uids)},
            number=dict(
                inputs.read.selection.images.select("SOPInstanceUID", "InstanceNumber").iter_rows()
            ),
            sides=series_edge_letters(inputs.read.selection.images),
        )

    def study(self, reading: Reading, row: WorklistRow) -> StudyEntry:
        slices = {one.sop_instance_uid: one for one in reading.slices}
        keys = [slices[uid] for uid in reading.key_slices[:PICTURES]]
        page = f"scroll/{safe_name(reading.study_uid)}.html"
        there = (self.out / page).is_file()
        make = ("wetread", "scroll", "SRC", "--series", reading.series_uid, "-o", Path(page).name)
        return StudyEntry(
            row=row,
            series_uid=reading.series_uid,
            key_slices=tuple(self._key_slice(reading, key) for key in keys),
            notes=(*_notes(reading), *self._unscrolled(reading)),
            scroll=page if there else "",
            command="" if there else shlex.join(make),
        )

    def _unscrolled(self, reading: Reading) -> list[str]:
        reason = self.inputs.unscrolled.get(reading.study_uid)
        return [] if reason is None else [f"no page to scroll it could be made: {reason}"]

    def _key_slice(self, reading: Reading, key: SliceReading) -> KeySlice:
        uid, task = key.sop_instance_uid, self.inputs.read.task
        finding = finding_names(task.at("image"))[task.headline_column]
        probability = key.probabilities[finding]
        where = self._where(key)
        about = f"study {reading.study_uid}, {where}: {finding} {probability:.2f}"
        return KeySlice(
            uid=uid,
            where=where,
            probability=probability,
            finding=finding,
            panels=self._panels(self.row[uid], finding, about),
            mask=_mask_sentence(reading, uid),
            link=reading.links.get(uid, "").removeprefix("../"),
        )

    def _where(self, key: SliceReading) -> str:
        count = self.inputs.read.store.slices["n_slices"][self.row[key.sop_instance_uid]]
        parts = [f"slice {key.z + 1} of {count}" if count > 1 else "one picture"]
        if key.position_mm is not None and np.isfinite(key.position_mm):
            parts.append(f"at {key.position_mm:.1f} mm")
        if (number := self.number.get(key.sop_instance_uid)) is not None:
            parts.append(f"InstanceNumber {number}")
        return ", ".join(parts)

    def _panels(self, row: int, finding: str, about: str) -> tuple[Panel, ...]:
        """The slice through the first window, and again with the outlines of what was drawn or the
        glow of what speaks for the finding."""
        inputs, store = self.inputs, self.inputs.read.store
        models = [member.model for member in inputs.ensemble.members]
        window = models[0].view.windows[0]
        hu = store.read_hu([row])[0]
        grey, label = panels(hu, [window], SIDE), window_label(window)
        pictures = [(grey, label)]
        drawn = inputs.read.answers.masks
        if drawn.findings:
            box = PixelBox(*store.slices["box"][row].to_list())
            masks = [
                _in_box(drawn.mask(store, row, column), box)
                for column in range(len(drawn.findings))
            ]
            if any(map(np.any, masks)):
                whole = as_uint8(apply_window(crop_and_resize(hu, None, SIDE), window))
                picture = outlined(whole, [(mask, PREDICTION_COLOR) for mask in masks])
                pictures.append((picture, f"outlined: {', '.join(drawn.findings)}"))
            else:
                pictures = [(grey, f"{label}; nothing was drawn on it")]
        else:
            heat = mean_heat_map(models, store, row, inputs.read.task.headline_column)
            if heat is not None:
                glow = f"the glow: what speaks for {finding.replace('_', ' ')}"
                pictures.append((heated(grey, heat), glow))
            else:
                nothing = f"no glow: nothing in it speaks for {finding.replace('_', ' ')}"
                pictures = [(grey, f"{label}; {nothing}")]
        sides = self.sides.get(store.slices["SeriesInstanceUID"][row], ("", ""))
        return tuple(
            Panel(jpeg_bytes(picture), label, f"{about}; {label}", *sides)
            for picture, label in pictures
        )


def _in_box(mask: np.ndarray, box: PixelBox) -> np.ndarray:
    """A mask (rows, columns) of the picture as (SIDE, SIDE) bool of the part that is shown."""
    return crop_and_resize(mask.astype(np.float32), box, SIDE, outside=0.0) >= 0.5


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
    )


def _summary(inputs: ReadingsPageInputs) -> str:
    """How many studies and images there were and how many were read, as the counts have it."""
    readings = inputs.readings
    unread = sum(one.state == "unread" for one in readings)
    refused = sum(one.reason != "not_dicom" for one in inputs.rejects)
    said = (
        f"{plural(len(readings), 'study')}, {plural(len(inputs.read.store), 'image')}: "
        f"{plural(len(readings) - unread, 'study')} read, {unread} unread; "
        f"{plural(refused, 'file')} not read."
    )
    others = len(inputs.rejects) - refused
    return f"{said} {plural(others, 'file')} not DICOM." if others else said


def _badge(ensemble: Ensemble) -> str:
    alone = "learned_from_phantoms_alone" in ensemble.cautions
    return "learned from synthetic phantoms" if alone else ""


def _cautions(readings: Sequence[Reading]) -> tuple[str, ...]:
    found = Counter(name for reading in readings for name in reading.cautions)
    return tuple(
        CAUTIONS.get(name, name.replace("_", " ")).capitalize()
        + ("." if count == len(readings) else f" ({count} of {plural(len(readings), 'study')}).")
        for name, count in found.items()
    )


def _notes(reading: Reading) -> list[str]:
    """List what is odd about one study, a line each."""
    lines = [f"{issue.name.replace('_', ' ')}: {issue.detail}" for issue in reading.issues]
    if len(reading.series) > 1:
        lines.append(
            f"judged by series {reading.series_uid}, the best of {len(reading.series)}; "
            f"{'; '.join(reading.series[0].reasons) or 'nothing speaks against it'}"
        )
    if reading.broken:
        lines.append(f"label rules broken before they were settled: {', '.join(reading.broken)}")
    if reading.rejects:
        lines.append(f"{plural(len(reading.rejects), 'file')} of it could not be read")
    return lines


def _mask_sentence(reading: Reading, uid: str) -> str:
    found = [mask for mask in reading.masks if mask["image"] == uid and mask["area_px"]]
    return "; ".join(
        f"drawn: {mask['area_px']} pixels"
        + ("" if mask["area_mm2"] is None else f", {mask['area_mm2']:.0f} mm²")
        + f", side: {mask['side']} (as films are hung: the patient's right on the picture's left)"
        for mask in found
    )


def _refused(rejects: Sequence[Reject]) -> tuple[Refusals, ...]:
    """Files that are DICOM, by reason, the commonest first."""
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
    """The files beside the page that are there."""
    files = ("worklist.csv", "probabilities.csv", "submission.csv", "rejects.csv", "readings")
    links = {file: file for file in files if (out / file).exists()}
    if name != PAGE:
        links = {"how good the models are": PAGE, **links}
    return links


def _provenance(readings: Sequence[Reading], ensemble: Ensemble) -> dict[str, Any]:
    """Return the provenance that the readings carry."""
    first: Mapping[str, Any] = readings[0].provenance if readings else {}
    models = [f"{one['checkpoint']} ({one['encoder']})" for one in first.get("models", ())]
    windows = [window_label(window) for window in ensemble.members[0].model.view.windows]
    kept = {key: first[key] for key in ("wetread", "task") if key in first}
    return {**kept, "models": models, "windows": windows, "slices seen at": f"{ensemble.size} px"}
