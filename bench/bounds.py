"""bench/bounds.py: what is like that which a run learned, and what is not: is it marked?

python -m bench bounds [TASK ...]: of each task a run of phantoms (bench/work/bounds/TASK/run, by
`wetread demo` where there is none) reads fresh phantoms, of which at most 5 % may be marked as
outside of what was learned; and what it must mark or leave unread: other anatomy, other
modalities, tilted, turned and corrupted pictures. It goes on row by row (bench/work/bounds/TASK/
rows; remove them to measure again), and writes the table of docs/bounds.md. WETREAD_DATA names the
folder of real files; without it those rows are left out.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from bench.corruptions import (
    Change,
    blank,
    half_blank,
    height_mm,
    inverted,
    noise,
    oblique,
    shuffled,
    tilted,
    turned,
    unchanged,
    upside_down,
    wrong_intercept,
    wrong_slope,
)
from bench.data import WORK
from wetread.archive.types import Float32Array
from wetread.inputs.archive import open_archive
from wetread.inputs.progress import silent
from wetread.inputs.study_traits import study_traits
from wetread.prediction.ensemble import read_ensemble
from wetread.prediction.in_distribution import place_studies
from wetread.prediction.studies import judging_slices
from wetread.study.series import series_slices
from wetread.verbs.demo import demo
from wetread.verbs.pack import pack_crops_of
from wetread.verbs.phantom import phantom
from wetread.verbs.predict.read_archive import task_of
from wetread.verbs.predict.selection import select_images

pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE  # ids of competitions
FOLDER = WORK / "bounds"
SEED, FRESH, CORRUPTED = 4711, 60, 10  # studies; no demo draws phantoms of this seed
PAGE = Path(__file__).parents[1] / "docs" / "bounds.md"
START, END = "<!-- rows of bench/bounds.py -->", "<!-- end of rows -->"


@dataclass(frozen=True)
class Row:
    """studies of one kind, and how many were left unread, marked as outside (by reason), or
    neither."""

    task: str
    kind: str
    must: str
    studies: int
    unread: int
    marked: int
    reasons: Mapping[str, int]

    @property
    def unmarked(self) -> int:
        """Studies that were read as if they were like what was learned."""
        return self.studies - self.unread - self.marked


def compare() -> list[dict[str, Any]]:
    """Count marked and unread studies of each task and kind."""
    for task in sys.argv[2:] or CASES:
        list(measure(task))
    rows = [row for task in CASES for row in kept_rows(task)]
    write_page(rows)
    return [{**vars(row), "unmarked": row.unmarked} for row in rows]


def measure(task: str) -> Iterator[Row]:
    """Read every kind of archive that a task's reader may be given."""
    run, kept = FOLDER / task / "run", FOLDER / task / "rows"
    kept.mkdir(parents=True, exist_ok=True)
    if not (run / "in_distribution.json").is_file():
        demo(FOLDER / task, task)
    for number, (kind, make) in enumerate(CASES[task].items()):
        file = kept / f"{number:02d}.json"
        if not file.is_file():
            source = make()
            if source is None:
                continue
            must = "not marked" if kind == FRESH_PHANTOMS else "marked or unread"
            row = count(task, kind, must, source, run)
            print(row, file=sys.stderr)
            file.write_text(json.dumps(vars(row)))
        yield Row(**json.loads(file.read_text()))


def kept_rows(task: str) -> list[Row]:
    """The rows of a task that were measured."""
    files = sorted((FOLDER / task / "rows").glob("*.json"))
    return [Row(**json.loads(file.read_text())) for file in files]


def count(task: str, kind: str, must: str, source: Path, run: Path) -> Row:
    """Pack an archive as the reader of a run does, place its studies, and count them."""
    out = FOLDER / f"read-{task}"
    shutil.rmtree(out, ignore_errors=True)
    ensemble = read_ensemble([run])
    reader = task_of(ensemble)
    archive = open_archive([source], out, workers=1, report=silent)
    selection = select_images(archive, reader)
    series = series_slices(selection.slices)
    store = pack_crops_of(
        series,
        out,
        reader,
        size=ensemble.size,
        absent=reader.absent,
        workers=1,
        report=silent,
    )[0]
    judging = judging_slices(store, selection.ranked)
    traits = study_traits(selection.series, judging)
    placed = place_studies(ensemble.bounds, store, judging, traits)
    studies = archive.images["StudyInstanceUID"].n_unique()
    marked = [one for one in placed.values() if one.inside is False]
    reasons = Counter(name for one in marked for name in {each.name for each in one.reasons})
    return Row(task, kind, must, studies, studies - len(placed), len(marked), dict(reasons))


def fresh(task: str, studies: int = FRESH) -> Path:
    """Phantoms that no run learned from."""
    archive = FOLDER / f"fresh-{task}-{studies}"
    phantom(task, archive, studies=studies, seed=SEED, workers=1)
    return archive


def real(*parts: str) -> Path | None:
    """A part of the real files, where there are any."""
    path = Path(os.environ.get("WETREAD_DATA", "../shared/data")).joinpath(*parts)
    return path if path.exists() else None


def changed(task: str, name: str, change: Change, **tags: object) -> Path:
    """Fresh phantoms after a change of their pixels, and of tags."""
    return rewritten(fresh(task, CORRUPTED), FOLDER / f"{task}-{name}", change, **tags)


def rewritten(source: Path, out: Path, change: Change, **tags: object) -> Path:
    """Write every series of a folder anew: pixels (Z, rows, columns) as stored, after a change."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    files = [pydicom.dcmread(path, force=True) for path in sorted(source.rglob("*.dcm"))]
    files.sort(key=lambda one: (str(one.SeriesInstanceUID), height_mm(one)))
    rng = np.random.default_rng(SEED)
    for number, (_, group) in enumerate(groupby(files, lambda one: one.SeriesInstanceUID)):
        series = list(group)
        pixels = np.stack([one.pixel_array for one in series]).astype(np.float32)
        for place, (one, picture) in enumerate(
            zip(series, change(pixels, series, rng), strict=True)
        ):
            kind = np.dtype(f"{'i' if one.PixelRepresentation else 'u'}{one.BitsAllocated // 8}")
            ends = np.iinfo(kind)
            stored = np.clip(np.rint(picture), ends.min, ends.max).astype(kind)
            one.Rows, one.Columns = stored.shape
            one.PixelData = stored.tobytes()
            one["PixelData"].VR = "OB" if kind.itemsize == 1 else "OW"
            one.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
            for keyword, value in tags.items():
                setattr(one, keyword, value)
            one.save_as(out / f"{number:03d}-{place:03d}.dcm", enforce_file_format=False)
    return out


def slices_as_films(source: Path, name: str, count: int = CORRUPTED) -> Path:
    """CT slices of a folder, evenly, each a study of its own whose header says that it is a chest
    film."""
    out = FOLDER / name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    files = sorted(source.rglob("*.dcm"))
    for place in np.linspace(0, len(files) - 1, count).round().astype(int):
        one = pydicom.dcmread(files[place], force=True)
        _write_film(one, one.pixel_array.astype(np.float32), out / f"{place:05d}.dcm")
    return out


def lateral_films(name: str = "lateral") -> Path:
    """Films from the side: the phantoms' chest CT, attenuation summed from left to right; no header
    says so."""
    out = FOLDER / name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    files = [pydicom.dcmread(one) for one in sorted(fresh("embolism", CORRUPTED).rglob("*.dcm"))]
    files.sort(key=lambda one: (str(one.SeriesInstanceUID), height_mm(one)))
    for number, (_, group) in enumerate(groupby(files, lambda one: one.SeriesInstanceUID)):
        series = list(group)
        hu = np.stack([one.pixel_array for one in series]).astype(np.float32)
        hu = hu * float(series[0].RescaleSlope) + float(series[0].RescaleIntercept)
        summed = np.clip(1 + hu / 1000, 0, None).sum(axis=2)[::-1]  # (Z, Y): head above
        tall = np.repeat(summed, max(1, round(512 / len(summed))), axis=0)
        wide = np.repeat(tall, max(1, round(512 / tall.shape[1])), axis=1)
        _write_film(series[0], 255 * wide / wide.max(), out / f"{number:03d}.dcm")
    return out


def _write_film(one: pydicom.Dataset, picture: Float32Array, path: Path) -> None:
    """Write a picture, from its least to its greatest value, as a chest film of its own study."""
    shown = (picture - picture.min()) / max(1e-6, float(np.ptp(picture))) * 255
    one.Modality, one.BodyPartExamined, one.ViewPosition = "CR", "CHEST", "PA"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 8, 8, 7, 0
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    for keyword in (
        "PixelPaddingValue", "RescaleSlope", "RescaleIntercept", "RescaleType", "WindowCenter",
        "WindowWidth", "SmallestImagePixelValue", "LargestImagePixelValue",
    ):  # fmt: skip
        if keyword in one:
            delattr(one, keyword)
    one.Rows, one.Columns = picture.shape
    one.PixelData = shown.astype(np.uint8).tobytes()
    one["PixelData"].VR = "OB"
    one.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(one, keyword, pydicom.uid.generate_uid())
    one.save_as(path, enforce_file_format=False)


def film_as_head(source: Path | None, name: str) -> Path | None:
    """Films whose header says that they are CT."""
    if source is None:
        return None
    few = FOLDER / f"{name}-few"
    shutil.rmtree(few, ignore_errors=True)
    few.mkdir(parents=True)
    for path in sorted(source.rglob("*.dcm"))[:CORRUPTED]:
        shutil.copy(path, few / path.name)
    tags = {
        "Modality": "CT",
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
        "PixelSpacing": [0.5, 0.5],
    }
    return rewritten(few, FOLDER / name, unchanged, **tags)


FRESH_PHANTOMS = "fresh phantoms"
Cases = Mapping[str, Callable[[], Path | None]]


def corrupted_series(task: str) -> Cases:
    """List what may befall a CT series, by name."""
    changes: dict[str, Change] = {
        "turned by 45 degrees, headers silent": tilted,
        "planes at 45 degrees by the headers": oblique,
        "noise of 100 HU": noise(100),
        "noise of 40 HU": noise(40),
        "shuffled slices": shuffled,
        "rescale slope 2": wrong_slope,
        "rescale intercept 1024 too high": wrong_intercept(1024),
        "rescale intercept 60 too high": wrong_intercept(60),
        "blank": blank,
        "every second slice blank": half_blank,
        "black and white swapped": inverted,
    }
    return {
        f"phantoms, {kind}": lambda kind=kind, change=change: changed(  # type: ignore[misc]
            task, kind.replace(" ", "-").replace(",", ""), change
        )
        for kind, change in changes.items()
    }


CASES: Mapping[str, Cases] = {
    "hemorrhage": {
        FRESH_PHANTOMS: lambda: fresh("hemorrhage"),
        **corrupted_series("hemorrhage"),
        "phantom chest CT": lambda: fresh("embolism", CORRUPTED),
        "real chest CT": lambda: real("chest_ct"),
        "real angiogram": lambda: real("embolism_ct", "ctpa_c_plus.zip"),
        "phantom films": lambda: fresh("pneumothorax", CORRUPTED),
        "phantom films whose header says CT": lambda: film_as_head(
            fresh("pneumothorax", CORRUPTED), "film-as-ct"
        ),
        "real films whose header says CT": lambda: film_as_head(
            real("pneumothorax", "images"), "real-film-as-ct"
        ),
    },
    "embolism": {
        FRESH_PHANTOMS: lambda: fresh("embolism", 40),
        **corrupted_series("embolism"),
        "phantom heads": lambda: fresh("hemorrhage", CORRUPTED),
        "real heads": lambda: real("hemorrhage_series", "5f8484c3e0.zip"),
        "real tilted head": lambda: real("head_ct_tilted"),
        "real chest CT without contrast": lambda: real("chest_ct"),
        "phantom films": lambda: fresh("pneumothorax", CORRUPTED),
    },
    "pneumothorax": {
        FRESH_PHANTOMS: lambda: fresh("pneumothorax"),
        "turned by 90 degrees": lambda: changed("pneumothorax", "turned", turned),
        "turned by 180 degrees": lambda: changed("pneumothorax", "upside-down", upside_down),
        "black and white swapped": lambda: changed("pneumothorax", "inverted", inverted),
        "noise of 40 of 255": lambda: changed("pneumothorax", "noise", noise(40)),
        "blank": lambda: changed("pneumothorax", "blank", blank),
        "from the side, header silent": lateral_films,
        "phantom head slices as films": lambda: slices_as_films(
            fresh("hemorrhage", CORRUPTED), "heads-as-films"
        ),
        "real chest CT slices as films": lambda: (
            None if (data := real("chest_ct")) is None else slices_as_films(data, "ct-as-films")
        ),
        "phantom heads": lambda: fresh("hemorrhage", CORRUPTED),
    },
}


def table(rows: list[Row]) -> str:
    """The rows as a table in Markdown."""
    lines = [
        "| reader | studies | must be | n | unread | marked | neither | marked by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.task} | {row.kind} | {row.must} | {row.studies} | {row.unread} | {row.marked} | "
        f"{row.unmarked} | {', '.join(f'{name} {n}' for name, n in row.reasons.items())} |"
        for row in rows
    ]
    return "\n".join(lines)


def write_page(rows: list[Row]) -> None:
    """Write the rows into docs/bounds.md."""
    text = PAGE.read_text()
    head, rest = text.split(START)
    _, tail = rest.split(END)
    PAGE.write_text(f"{head}{START}\n\n{table(rows)}\n\n{END}{tail}")
