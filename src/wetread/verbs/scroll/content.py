"""verbs/scroll/content.py: the content of a page to scroll: windows, title, facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from wetread.archive.dataset.luts import LookupTable, read_voi, read_windows
from wetread.archive.identity.privacy import is_sound
from wetread.archive.plural import plural
from wetread.archive.rejects import RejectError
from wetread.archive.types import FloatArray, Row
from wetread.inputs.body_part import described_part, part_of, shows_lungs
from wetread.pages.scroll_page import Overlay, Preset, ScrollContent
from wetread.study.issue import Issue
from wetread.study.series_choice import is_sharp
from wetread.study.voi import full_range
from wetread.study.volume import Volume
from wetread.view.window import WINDOWS, Window

# The windows that come first for a part of the body (inputs/body_part.py); the others follow.
SUITED: dict[str, tuple[str, ...]] = {
    "HEAD": ("brain", "subdural", "stroke", "soft_head", "bone", "temporal_bone"),
    "CHEST": ("mediastinum", "lung", "pulmonary", "chest_bone", "lung_wide"),
    # Of a chest that BodyPartExamined does not call one, known by its lungs.
    "LUNGS": ("lung", "pulmonary", "mediastinum", "chest_bone", "lung_wide"),
    "ABDOMEN": ("abdomen", "liver", "mediastinum", "lung"),
    "SPINE": ("spine_soft", "spine_bone"),
    "": ("brain", "subdural", "bone", "lung", "mediastinum", "pulmonary", "abdomen"),
}
_WHEEL_DIRECTION = (
    1,
    1,
    -1,
)  # from slice to slice along x, y and z of LPS: to the left, the back, the feet
CURVE_OF = {"LINEAR": "linear", "LINEAR_EXACT": "linear_exact", "SIGMOID": "sigmoid"}


def page_content(
    volume: Volume, rows: pl.DataFrame, overlays: Sequence[Overlay], shown: Preset | None
) -> ScrollContent:
    """Return the content of a page. rows: of the series; shown: the window to begin with.

    Its slices run from the head to the feet, from right to left or from front to back, so that the
    wheel goes where it goes on a workstation.
    """
    if runs_against(volume):
        volume = reversed_slices(volume)
        overlays = [replace(overlay, inside=overlay.inside[::-1]) for overlay in overlays]
    start = first_slice(volume, overlays)
    row = slice_row(rows, volume.sources[start])
    presets = list(window_presets(volume, row))
    if shown is not None and shown not in presets:
        presets.insert(0, shown)
    return ScrollContent(
        title=page_title(row, len(volume.hu)),
        volume=volume,
        presets=tuple(presets),
        preset=0 if shown is None else presets.index(shown),
        start=start,
        inverted=row["PhotometricInterpretation"] == "MONOCHROME1",
        overlays=tuple(overlays),
        issues=_issues(volume, rows),
        facts=tuple(page_facts(volume, row)),
        instances=instance_numbers(volume, rows),
    )


def runs_against(volume: Volume) -> bool:
    """Whether the slices run toward the head, the right or the front; False where not known."""
    direction = volume.place.origins_mm[-1] - volume.place.origins_mm[0]
    if not np.isfinite(direction).all() or not direction.any():
        return False
    axis = int(np.abs(direction).argmax())
    return bool(direction[axis] * _WHEEL_DIRECTION[axis] < 0)


def reversed_slices(volume: Volume) -> Volume:
    """Return the slices in reverse order."""
    place = replace(
        volume.place,
        origins_mm=volume.place.origins_mm[::-1],
        thickness_mm=volume.place.thickness_mm[::-1],
    )
    return replace(
        volume,
        hu=volume.hu[::-1],
        place=place,
        sources=volume.sources[::-1],
        slice_map=volume.slice_map[::-1],
    )


def instance_numbers(volume: Volume, rows: pl.DataFrame) -> tuple[int | None, ...]:
    """Return the InstanceNumber of each slice; None where it has none."""
    known = dict(rows.select("SOPInstanceUID", "InstanceNumber").iter_rows())
    return tuple(known.get(source) for source in volume.sources)


def _issues(volume: Volume, rows: pl.DataFrame) -> tuple[Issue, ...]:
    """Return the volume's issues; a single image may lie alone, or without place."""
    of_series = ("single_slice", "no_geometry") if rows.height == 1 else ()
    return tuple(issue for issue in volume.issues if issue.name not in of_series)


def slice_row(rows: pl.DataFrame, source: str) -> Row:
    """Return the row of a slice by its SOP Instance UID; the first row where it has none."""
    own = rows.filter(pl.col("SOPInstanceUID") == source)
    return (own if own.height else rows).row(0, named=True)


def first_slice(volume: Volume, overlays: Sequence[Overlay]) -> int:
    """Return the number of the slice where the masks are largest, else of the middle one."""
    area = np.zeros(len(volume.hu), np.int64)
    for overlay in overlays:
        area += overlay.inside.sum(axis=(1, 2))
    return int(area.argmax()) if area.any() else len(area) // 2


def window_presets(volume: Volume, row: Row) -> Sequence[Preset]:
    """Return the windows to choose from, the first one to begin with.

    The file's own come first; then for HU the table, those that suit the part of the body first;
    for gray the whole range of the values.
    """
    own = _of_file(row)
    if volume.unit != "HU":
        whole = full_range(volume.hu)
        return [*own, Preset("whole range", Window(whole.center, whole.width))]
    first = SUITED[_part(volume, row)]
    if is_sharp(row["ConvolutionKernel"] or ""):  # what edges are drawn sharp for comes first
        first = tuple(sorted(first, key=lambda name: "bone" not in name and "lung" not in name))
    names = [*first, *(name for name in WINDOWS if name not in (*first, "display"))]
    return [*own, *(Preset(name, WINDOWS[name]) for name in names)]


def _part(volume: Volume, row: Row) -> str:
    """Return a key of SUITED by BodyPartExamined, else the descriptions, else the pixels."""
    if named := part_of(row["BodyPartExamined"] or ""):
        return named
    part = described_part(row) or ("CHEST" if shows_lungs(volume) else "")
    return "LUNGS" if part == "CHEST" else part


def _of_file(row: Row) -> list[Preset]:
    """Return the header's windows, each once; none where they cannot be used, or are a table."""
    try:
        found = [] if isinstance(read_voi(row), LookupTable) else read_windows(row)
        curved = (Window(voi.center, voi.width, CURVE_OF[voi.function]) for voi in found)
        windows = list(dict.fromkeys(curved))
    except (RejectError, ValueError):
        return []
    return [Preset(f"file {k + 1}" if k else "file", window) for k, window in enumerate(windows)]


def page_title(row: Row, slices: int) -> str:
    """Return a title as `CT chest, 100 slices`."""
    parts = (_sound(row, "Modality", "CS"), _sound(row, "BodyPartExamined", "CS").lower())
    what = " ".join(part for part in parts if part) or "Series"
    return f"{what}, {plural(slices, 'slice')}"


def series_name(rows: pl.DataFrame) -> str:
    """Return a name as `CT chest, 100 slices, 1.25 mm, B30f`, without free text of the header."""
    row = rows.row(0, named=True)
    thickness = row["SliceThickness"]
    parts = [
        page_title(row, rows.height),
        f"{thickness:g} mm" if thickness else "",
        _sound(row, "ConvolutionKernel", "SH"),
    ]
    return ", ".join(part for part in parts if part)


def page_facts(volume: Volume, row: Row) -> list[tuple[str, str]]:
    """Return facts of the series, name and value; nothing that names a patient."""
    _, rows, columns = volume.hu.shape
    down, across = volume.place.spacing_mm
    apart = np.unique(np.round(np.abs(np.diff(volume.positions_mm)), 2))
    thickness = row["SliceThickness"]
    facts = [
        ("Matrix", f"{columns} × {rows}"),
        ("Pixels", f"{across:.4g} × {down:.4g} mm" if np.isfinite(down) else "size not known"),
        ("Distance", f"{' to '.join(f'{mm:g}' for mm in _ends(apart))} mm"),
        ("Thickness", f"{thickness:g} mm" if thickness else ""),
        ("Kernel", _sound(row, "ConvolutionKernel", "SH")),
        ("Series", row["SeriesInstanceUID"] or ""),
    ]
    has_steps = len(apart) > 0 and np.isfinite(apart).all()
    return [(name, value) for name, value in facts if value and (has_steps or name != "Distance")]


def _ends(ascending: FloatArray) -> FloatArray:
    """Return the first and the last of (N,), or the only one."""
    return ascending[[0, -1]] if len(ascending) > 1 else ascending


def _sound(row: Row, name: str, vr: str) -> str:
    """Return a text of the row; "" where it cannot be one of its VR and may be other bytes."""
    text = row[name] or ""
    return text if is_sound(text, vr) else ""
