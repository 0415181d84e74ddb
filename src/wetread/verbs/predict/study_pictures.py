"""verbs/predict/study_pictures.py: key slices of studies as pictures, for the page of readings."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np

from wetread.archive.plural import plural
from wetread.archive.types import Float32Array, JsonObject, UInt8Array
from wetread.labels.finding import finding_names
from wetread.outputs.pictures import PREDICTION_COLOR, heated, jpeg_bytes, outlined, panels
from wetread.outputs.sides import series_edge_letters
from wetread.outputs.uid_names import safe_name
from wetread.pages.panel import Panel, window_label
from wetread.pages.readings_page import KeySlice, StudyEntry, WorklistRow
from wetread.prediction.cautions import short_cautions
from wetread.prediction.reading import Reading, SliceReading
from wetread.prediction.volumes import DrawnVolume
from wetread.reports.mask_cases import mask_in_box
from wetread.reports.mean_heat import mean_heat_map
from wetread.reports.slice_panels import EdgeLetters
from wetread.study.boxes import PixelBox
from wetread.study.crop import crop_and_resize
from wetread.verbs.predict.read_archive import ReadArchive
from wetread.view.window import apply_window, as_uint8

PICTURES = 3  # key slices of a study
SIDE = 320  # pixels
COLORS = (PREDICTION_COLOR, (235, 190, 60), (200, 110, 235))  # of findings: blue, green, red


@dataclass(frozen=True, eq=False)
class StudyPictures:
    """The sources of studies' pictures.

    out:        the folder of the page.
    unscrolled: studies whose page to scroll could not be made, with the reason.
    rows:       SOPInstanceUID to its row of the store.
    numbers:    SOPInstanceUID to its InstanceNumber, where the header has one.
    letters:    at the pictures' edges, by series.
    """

    out: Path
    read: ReadArchive
    unscrolled: Mapping[str, str]
    rows: Mapping[str, int]
    numbers: Mapping[str, int | None]
    letters: EdgeLetters

    @staticmethod
    def of(out: Path, read: ReadArchive, unscrolled: Mapping[str, str]) -> StudyPictures:
        """Gather the sources of the pictures of an archive's studies."""
        uids, images = read.store.slices["SOPInstanceUID"].to_list(), read.selection.images
        return StudyPictures(
            out=out,
            read=read,
            unscrolled=unscrolled,
            rows={uid: row for row, uid in enumerate(uids)},
            numbers=dict(images.select("SOPInstanceUID", "InstanceNumber").iter_rows()),
            letters=series_edge_letters(images),
        )

    def study(self, reading: Reading, row: WorklistRow) -> StudyEntry:
        """Show a study: its key slices, notes, and the page to scroll it or how to make one."""
        slices = {part.sop_instance_uid: part for part in reading.slices}
        keys = [slices[uid] for uid in reading.key_slices[:PICTURES]]
        page = f"scroll/{safe_name(reading.study_uid)}.html"
        is_made = (self.out / page).is_file()
        make = ("wetread", "scroll", "SRC", "--series", reading.series_uid, "-o", Path(page).name)
        return StudyEntry(
            row=row,
            series_uid=reading.series_uid,
            key_slices=tuple(self._key_slice(reading, key) for key in keys),
            notes=(*_notes(reading), *self._unscrolled_note(reading)),
            scroll=page if is_made else "",
            command="" if is_made else shlex.join(make),
            short_cautions=short_cautions(reading.cautions),
            outside=tuple(one.detail for one in reading.placement.reasons),
        )

    def _unscrolled_note(self, reading: Reading) -> list[str]:
        reason = self.unscrolled.get(reading.study_uid)
        return [] if reason is None else [f"no page to scroll it could be made: {reason}"]

    def _key_slice(self, reading: Reading, key: SliceReading) -> KeySlice:
        uid, task = key.sop_instance_uid, self.read.task
        finding = finding_names(task.at("image"))[task.headline_column]
        probability = key.probabilities[finding]
        where = self._where(key)
        about = f"study {reading.study_uid}, {where}: {finding} {probability:.2f}"
        return KeySlice(
            uid=uid,
            where=where,
            probability=probability,
            finding=finding,
            panels=self._panels(self.rows[uid], finding, about),
            mask=_mask_sentence(reading, uid),
            link=reading.links.get(uid, "").removeprefix("../"),
        )

    def _where(self, key: SliceReading) -> str:
        count = self.read.store.slices["n_slices"][self.rows[key.sop_instance_uid]]
        parts = [f"slice {key.z + 1} of {count}" if count > 1 else "one picture"]
        if key.position_mm is not None and np.isfinite(key.position_mm):
            parts.append(f"at {key.position_mm:.1f} mm")
        if (number := self.numbers.get(key.sop_instance_uid)) is not None:
            parts.append(f"InstanceNumber {number}")
        return ", ".join(parts)

    def _panels(self, row: int, finding: str, about: str) -> tuple[Panel, ...]:
        """Show the slice through the first window, and again with the outlines of what was drawn or
        the glow of what speaks for the finding."""
        store, masks = self.read.store, self.read.answers.masks
        models = [member.model for member in self.read.reader.ensemble.members]
        window = models[0].view.windows[0]
        hu = store.read_hu([row])[0]
        gray, label = panels(hu, [window], SIDE), window_label(window)
        pictures = [(gray, label)]
        volumes = self.read.answers.volumes.get(store.slices["StudyInstanceUID"][row], ())
        if volumes:
            pictures = self._with_volumes(row, volumes, hu, pictures[0])
        elif masks.findings:
            box = PixelBox(*store.slices["box"][row].to_list())
            drawn = [
                mask_in_box(masks.mask(store, row, column), box, SIDE)
                for column in range(len(masks.findings))
            ]
            if any(map(np.any, drawn)):
                film = as_uint8(apply_window(crop_and_resize(hu, None, SIDE), window))
                picture = outlined(film, [(mask, PREDICTION_COLOR) for mask in drawn])
                pictures.append((picture, f"outlined: {', '.join(masks.findings)}"))
            else:
                pictures = [(gray, f"{label}; nothing was drawn on it")]
        else:
            heat = mean_heat_map(models, store, row, self.read.task.headline_column)
            spoken = finding.replace("_", " ")
            if heat is not None:
                pictures.append((heated(gray, heat), f"the glow: what speaks for {spoken}"))
            elif self.read.reader.ensemble.bundle is not None:
                pictures = [(gray, f"{label}; no glow: a bundle has no gradients to tell by")]
            else:
                pictures = [(gray, f"{label}; no glow: nothing in it speaks for {spoken}")]
        letters = self.letters.get(store.slices["SeriesInstanceUID"][row], ("", ""))
        return tuple(
            Panel(jpeg_bytes(picture), label, f"{about}; {label}", *letters)
            for picture, label in pictures
        )

    def _with_volumes(
        self,
        row: int,
        volumes: Sequence[DrawnVolume],
        hu: Float32Array,
        plain: tuple[UInt8Array, str],
    ) -> list[tuple[UInt8Array, str]]:
        """Show a slice, HU (rows, columns), plain, and again with the outlines of what was drawn in
        it along its series."""
        store, window = self.read.store, self.read.reader.ensemble.members[0].model.view.windows[0]
        box = PixelBox(*store.slices["box"][row].to_list())
        outlines, names = [], []
        for volume, color in zip(volumes, cycle(COLORS), strict=False):
            mask = mask_in_box(volume.mask_of(row), box, SIDE)
            if mask.any():
                outlines.append((mask, color))
                names.append(volume.finding.replace("_", " "))
        if not names:
            return [(plain[0], f"{plain[1]}; nothing was drawn on it")]
        film = as_uint8(apply_window(crop_and_resize(hu, None, SIDE), window))
        return [plain, (outlined(film, outlines), f"outlined: {', '.join(names)}")]


def _notes(reading: Reading) -> list[str]:
    """List what is odd about one study, a line each."""
    lines = [f"{issue.name.replace('_', ' ')}: {issue.detail}" for issue in reading.issues]
    if len(reading.series) > 1:
        lines.append(
            f"judged by series {reading.series_uid}, the best of {len(reading.series)}; "
            f"{'; '.join(reading.series[0].reasons) or 'nothing speaks against it'}"
        )
    lines += [_measure_sentence(measure) for measure in reading.measures]
    if reading.broken:
        lines.append(f"label rules broken before they were settled: {', '.join(reading.broken)}")
    if reading.rejects:
        lines.append(f"{plural(len(reading.rejects), 'file')} of it could not be read")
    return lines


def _measure_sentence(measure: JsonObject) -> str:
    """Write a number that was measured in what was drawn, with how far it may be off."""
    unit, digits = (f" {measure['unit']}", 2) if measure["unit"] else ("", 3)
    name = measure["name"].replace("_", " ")
    if measure["value"] is None:
        return f"{name}: could not be measured in what was drawn"
    sentence = f"{name}: {measure['value']:.{digits}f}{unit}, measured in what was drawn"
    if measure["bias"] is None:
        return f"{sentence}; how far it is off is not known"
    bias, low, high = (
        f"{one:+.{digits}f}" for one in (measure["bias"], *measure["limits_of_agreement"])
    )
    return (
        f"{sentence}; in {measure['error_studies']} {measure['error_in']} it was {bias}{unit} off "
        f"on average, limits of agreement {low} to {high}{unit}"
    )


def _mask_sentence(reading: Reading, uid: str) -> str:
    """Describe what was drawn in a slice: finding, area and side."""
    found = [mask for mask in reading.masks if mask["image"] == uid and mask["area_px"]]
    return "; ".join(
        f"{mask['finding'].replace('_', ' ')} drawn: {mask['area_px']} pixels"
        + ("" if mask["area_mm2"] is None else f", {mask['area_mm2']:.0f} mm²")
        + f", side: {mask['side']} (as films are hung: the patient's right on the picture's left)"
        for mask in found
    )
