"""verbs/windows.py: HU through every window and mode: their values, and a page of them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.dataset.luts import read_voi
from wetread.archive.executor.isolated_process import LostItem
from wetread.archive.executor.workers import Workers, parallel_map, select_workers
from wetread.archive.rejects import RejectError
from wetread.archive.types import Float32Array, Float64Array, FloatArray, Row, StrPath
from wetread.inputs.progress import Report, silent
from wetread.inputs.sources import best_series, ct_series, open_source
from wetread.outputs.pictures import resized
from wetread.outputs.sides import left_right_letters
from wetread.pages.windows_page import HU_AXIS, ModePanel, WindowsPage, write_windows_page
from wetread.phantoms.head.study import make_head_study
from wetread.study.display import WHITE, display_grey
from wetread.study.histogram import SeriesHistograms, series_histograms
from wetread.study.series import positions_mm
from wetread.study.slices import require_hu, slice_from_row
from wetread.study.voi import present
from wetread.view.mode import (
    MIXES,
    MODES,
    SLICEWISE,
    Mode,
    apply_mode,
    as_picture,
    find_mode,
    mix_grays,
    window_slices,
)
from wetread.view.window import WINDOWS, Window

PANEL = 320  # px of a picture's longer side
PHANTOM_SEED, PHANTOM_SIZE = 10, 256
PHANTOM_ORIENTATION = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)  # axial, seen from the feet


@dataclass(frozen=True)
class ModeValues:
    """The colors of HU in a mode: values[i] is the (red, green, blue) of hu[i], in [0, 1]."""

    mode: str
    hu: tuple[float, ...]
    values: tuple[tuple[float, float, float], ...]

    def to_dict(self) -> dict[str, object]:
        """Return the mode and its values as plain values, for JSON."""
        pairs = zip(self.hu, self.values, strict=True)
        return {"mode": self.mode, "values": [{"hu": hu, "value": list(v)} for hu, v in pairs]}


@dataclass(frozen=True)
class WindowsResult:
    """The page, the modes it shows, the slices in its histograms, and the files refused."""

    page: Path
    slices: int
    modes: tuple[str, ...]
    refused: int

    def to_dict(self) -> dict[str, object]:
        """Return the fields as plain values, for JSON."""
        shown = {"page": str(self.page), "slices": self.slices, "modes": list(self.modes)}
        return {**shown, "refused": self.refused}


@dataclass(frozen=True, eq=False)
class SampleSlice:
    """A slice that is shown in every mode, its neighbors, and its series' histograms.

    hu:          offset along the normal to (rows, columns) float32; the slice itself where the
                 series ends.
    header_gray: the same offsets, as each slice's own header shows it, in [0, 1]; None: no file.
    """

    hu: Mapping[int, Float32Array]
    header_gray: Mapping[int, FloatArray] | None
    header: Row | None
    caption: str
    histograms: SeriesHistograms | None = None


def mode_values(mode: str, hu: Sequence[float], source: StrPath | None = None) -> ModeValues:
    """Return the colors of HU in a mode (view/mode.py: find_mode), on every slice; gray thrice.

    source: the file whose own window a mode of the header's shows. ValueError for such a mode
    without a file, for one that is stretched slice by slice, and for a name that there is not.
    """
    found, values = find_mode(mode), np.asarray(hu, np.float64)
    if found.slicewise:
        raise ValueError(
            f"{mode} stretches each slice from its own least to its own greatest, so that a HU "
            f"alone has no value in it; {mode.replace(SLICEWISE, '')} has fixed bounds"
        )
    if found.windows:
        grays = window_slices([values] * len(found.offsets), found, np)
    elif source is None:
        raise ValueError(
            f"{mode} shows a slice in its own header's window: give the file, `source=FILE`"
        )
    else:
        grays = [header_gray(values, _first_row(Path(source)))] * len(found.offsets)
    channels = [
        np.asarray(channel, np.float64) + 0.0 for channel in mix_grays(grays, found, np)
    ]  # no -0.0
    if len(channels) not in (1, 3):
        raise ValueError(f"{mode} has {len(channels)} channels, which are no colour")
    red, green, blue = channels if len(channels) == 3 else channels * 3
    rgb = zip(red.tolist(), green.tolist(), blue.tolist(), strict=True)
    return ModeValues(mode, tuple(float(value) for value in hu), tuple(rgb))


def header_gray(values: Float64Array, row: Row) -> Float64Array:
    """Return HU of any shape as gray by the window or table that a file names, float64 in [0, 1].

    RejectError where it names none: its own least and greatest value would be the bounds.
    """
    voi = read_voi(row)
    if voi is None:
        detail = "(0028,1050) WindowCenter is absent: the file names no window"
        raise RejectError("bad_element", detail)
    return present(values, voi, row["PhotometricInterpretation"])


def windows(
    source: StrPath | None,
    out: StrPath,
    *,
    series: str | None = None,
    as_hu: bool = False,
    workers: int | None = None,
    report: Report = silent,
) -> WindowsResult:
    """Write a page that shows every mode over the HU axis, and one slice in every mode.

    source: a folder, zip, file or index of CT; its middle slice and its histograms are shown.
        None: a head phantom, always the same.
    out: the page, HTML.
    series: a SeriesInstanceUID; None: the CT series that suits best.
    as_hu: take CT whose header does not say HU as HU.
    workers: processes; None: all cores. report: called with (stage, done, total).

    Raises FileNotFoundError, ValueError for a series that is not there, and RejectError where
    nothing can be shown.
    """
    refused = 0
    out = Path(out)
    if source is None:
        sample = phantom_sample()
    else:
        chosen = select_workers(workers, None)
        found = open_source(Path(source), chosen, report, as_hu=as_hu)
        refused = found.refused
        sample = series_sample(best_series(ct_series(found), series), chosen)
    page = WindowsPage(
        tuple(_shown(sample)),
        np.rint(resized(sample.hu[0], PANEL)).astype(np.int16),
        sample.caption,
        sample.histograms,
        left_right_letters(
            PHANTOM_ORIENTATION if sample.header is None else sample.header["orientation"]
        ),
    )
    write_windows_page(out, page)
    counted = sample.histograms
    refused += len(counted.rejects) if counted else 0
    names = tuple(mode.name for mode in page.modes)
    return WindowsResult(out, counted.slices if counted else 1, names, refused)


def phantom_sample() -> SampleSlice:
    """Return a head phantom's slice with the most blood, the same on every machine."""
    rng = np.random.default_rng(PHANTOM_SEED)
    study = make_head_study(rng, scenario=("subdural",), size=PHANTOM_SIZE)
    at = int(study.areas_mm2.sum(axis=1).argmax())
    near = {step: study.hu[at + step] for step in (-1, 0, 1)}
    caption = f"A head phantom: slice {at + 1} of {len(study.hu)}, with a subdural hematoma"
    return SampleSlice(near, None, None, caption)


def series_sample(rows: pl.DataFrame, workers: Workers) -> SampleSlice:
    """Return the middle slice of a series' rows, in order, or the nearest to it that can be read,
    and the histograms of all. RejectError where none can be read."""
    histograms = series_histograms(rows, workers)
    steps, last = (-1, 0, 1), rows.height - 1
    for middle in sorted(range(rows.height), key=lambda number: abs(number - rows.height // 2)):
        near = [rows.row(min(max(middle + step, 0), last), named=True) for step in steps]
        below, own, above = parallel_map(_slice_and_gray, near, workers)
        if not isinstance(own, LostItem | RejectError):
            break
    else:
        if isinstance(own, RejectError):
            raise own
        raise RejectError("decode_failed", "no slice of the series can be read twice")
    hu, gray = {0: own[0]}, {0: own[1]}
    for step, other in ((-1, below), (1, above)):
        if isinstance(other, LostItem | RejectError) or other[0].shape != own[0].shape:
            other = own
        hu[step], gray[step] = other
    place = positions_mm(rows)[middle]
    where = "" if np.isnan(place) else f", at {place:.1f} mm along the normal"
    caption = f"Slice {middle + 1} of {rows.height}{where}"
    return SampleSlice(hu, gray, rows.row(middle, named=True), caption, histograms)


def _slice_and_gray(row: Row) -> tuple[Float32Array, FloatArray] | RejectError:
    """Return (HU, gray in [0, 1] as the header wants it) of a slice, in a worker process."""
    try:
        slice_ = slice_from_row(row)
        require_hu(row, slice_)
        return slice_.values(), display_grey(row, slice_) / WHITE
    except RejectError as reject:
        return reject


def _shown(sample: SampleSlice) -> Iterator[ModePanel]:
    """Yield every mode that can be shown; those of the header need one."""
    for name, mode in MODES.items():
        if mode.windows:
            axis = window_slices([HU_AXIS] * len(mode.offsets), mode, np)
            channels = apply_mode([resized(sample.hu[step], PANEL) for step in mode.offsets], mode)
        elif sample.header_gray is None or sample.header is None:
            continue
        else:
            try:
                axis = [header_gray(HU_AXIS, sample.header)] * len(mode.offsets)
            except RejectError:
                continue
            channels = tuple(resized(sample.header_gray[step], PANEL) for step in mode.offsets)
        curves = np.stack(mix_grays(axis, mode, np))
        yield ModePanel(name, describe_mode(mode), curves, as_picture(channels))


def describe_mode(mode: Mode) -> str:
    """Describe a mode in figures: "40/80, 80/200, 600/2000; sigmoid_eps; gradient of sum"."""
    parts = [", ".join(_range(window) for window in mode.windows) or "the header's window"]
    curves = {window.curve for window in mode.windows} - {"linear_exact"}
    parts += sorted(curves)
    if mode.mix != "channels":
        parts.append(MIXES[mode.mix].description)
    if mode.offsets != (0,):
        parts.append("slices " + ", ".join(f"z{step:+d}" if step else "z" for step in mode.offsets))
    return "; ".join(parts)


def _range(window: Window) -> str:
    return f"{window.center_hu:g}/{window.width_hu:g}"


def windows_and_modes() -> dict[str, object]:
    """Return every window and mode by name, as plain values for JSON."""
    return {
        "windows": {name: _window(window) for name, window in WINDOWS.items()},
        "modes": {
            name: {
                "windows": [_window(window) for window in mode.windows],
                "mix": mode.mix,
                "offsets": list(mode.offsets),
            }
            for name, mode in MODES.items()
        },
    }


def _window(window: Window) -> dict[str, object]:
    sizes = {"center_hu": float(window.center_hu), "width_hu": float(window.width_hu)}
    return {**sizes, "curve": window.curve}


def _first_row(src: Path) -> Row:
    images = open_source(src, 1).images
    if not images.height:
        raise RejectError("no_pixels", f"{src}: no image that names a window")
    return images.row(0, named=True)
