"""verbs/montage/layouts.py: which slices a montage shows, in which order and windows.

To add a layout, write (Source, MontageOptions) -> MontageLayout, and add a line to LAYOUTS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.archive.index.intercept import WRONG_INTERCEPT
from wetread.archive.rejects import RejectError
from wetread.inputs.sources import Source, best_series, ct_series
from wetread.labels.finding import Finding
from wetread.labels.table import LabelTable
from wetread.study.series import positions_mm, series_slices
from wetread.verbs.montage.panels import PanelRequest, rows_around
from wetread.view.mode import find_mode

HEADER = "metadata"  # the mode of each slice's own window
DEFAULT_MODES = (HEADER, "brain", "subdural", "bone")
RANDOM, ROWS = 20, 4  # panels of `random`, slices of `windows` and `repair`, where none are asked


@dataclass(frozen=True)
class MontageOptions:
    """The settings of a montage; None: as the layout has it.

    windows: modes as view/mode.py's find_mode reads them. size: pixels of a panel's longer side.
    """

    windows: tuple[str, ...] = ()
    columns: int | None = None
    count: int | None = None
    series: str | None = None
    labels: LabelTable | None = None
    findings: tuple[Finding, ...] = ()
    seed: int = 0
    size: int = 256


@dataclass(frozen=True, eq=False)
class MontageLayout:
    """The panels of a layout, in reading order."""

    requests: tuple[PanelRequest, ...]
    columns: int


def _of_study(source: Source, options: MontageOptions) -> MontageLayout:
    """Lay out the slices of a series, all or evenly chosen."""
    (mode,) = _modes(options, (HEADER,), most=1)
    rows = best_series(_series(source, [mode]), options.series)
    places = positions_mm(rows)
    requests = [
        PanelRequest(
            rows_around(rows, at, mode), mode, (_where(rows, at, places[at]),), size=options.size
        )
        for at in _evenly_spaced(rows.height, options.count)
    ]
    return MontageLayout(tuple(requests), options.columns or _columns(len(requests)))


def _of_archive(source: Source, options: MontageOptions) -> MontageLayout:
    """Lay out slices drawn from all series, without replacement."""
    (mode,) = _modes(options, (HEADER,), most=1)
    series = _series(source, [mode])
    ends = np.cumsum([rows.height for rows in series])
    rng = np.random.default_rng(options.seed)
    drawn = rng.choice(ends[-1], min(options.count or RANDOM, int(ends[-1])), replace=False)
    requests = []
    for number in drawn.tolist():
        which = int(np.searchsorted(ends, number, side="right"))
        rows = series[which]
        at = number - int(ends[which]) + rows.height
        lines = (f"series {which + 1} of {len(series)}", _where(rows, at))
        requests.append(PanelRequest(rows_around(rows, at, mode), mode, lines, size=options.size))
    return MontageLayout(tuple(requests), options.columns or _columns(len(requests)))


def _of_findings(source: Source, options: MontageOptions) -> MontageLayout:
    """Lay out a row a finding: a slice (or `count`) that has it, in every window."""
    if options.labels is None:
        raise ValueError("findings are shown by their labels: give `labels=FILE` and `task=NAME`")
    modes = _modes(options, DEFAULT_MODES)
    series = _series(source, modes)
    ids_with = {finding: _ids_with(options.labels, finding) for finding in options.findings}
    rng = np.random.default_rng(options.seed)
    requests: list[PanelRequest] = []
    taken: set[tuple[int, int]] = set()
    for finding in options.findings:
        positives = _positive(series, ids_with, finding)
        order = rng.permutation(len(positives)).tolist()
        # What is shown already goes last, and what shows other findings, too, after what does not.
        order.sort(key=lambda number: (positives[number][0] in taken, positives[number][1]))
        chosen = [positives[number][0] for number in order[: options.count or 1]]
        taken |= set(chosen)
        if not chosen:
            lines = (finding.name, "no positive slice here")
            requests += [
                PanelRequest((), mode, lines if mode == modes[0] else ()) for mode in modes
            ]
        for which, at in chosen:
            rows = series[which]
            words = [f"{finding.name}: {_named(mode)}" for mode in modes]
            requests += [
                PanelRequest(
                    rows_around(rows, at, mode), mode, (text, _where(rows, at)), size=options.size
                )
                for mode, text in zip(modes, words, strict=True)
            ]
    return MontageLayout(tuple(requests), options.columns or len(modes))


def _of_windows(source: Source, options: MontageOptions) -> MontageLayout:
    """Lay out a row a slice: as stored, from least to greatest, then in every window."""
    modes = _modes(options, DEFAULT_MODES)
    rows = best_series(_series(source, modes), options.series)
    requests: list[PanelRequest] = []
    for at in _middles(rows.height, options.count or ROWS):
        where = _where(rows, at)
        own = (rows.row(at, named=True),)
        requests.append(PanelRequest(own, "", ("as stored", where), "stored", options.size))
        requests += [
            PanelRequest(
                rows_around(rows, at, mode), mode, (_named(mode), where), size=options.size
            )
            for mode in modes
        ]
    return MontageLayout(tuple(requests), options.columns or len(modes) + 1)


def _of_repair(source: Source, options: MontageOptions) -> MontageLayout:
    """Lay out a row a slice whose intercept is wrong: by its header, and after each repair."""
    (mode,) = _modes(options, ("brain",), most=1)
    if not find_mode(mode).windows or find_mode(mode).offsets != (0,):
        raise ValueError(f"a repair is seen in one window of HU, not in {mode}")
    noted = source.images.filter(pl.col("notes").list.contains(WRONG_INTERCEPT))
    if not noted.height:
        detail = f"no slice of {source.path} has a wrong intercept, confirmed on its pixels"
        raise RejectError("wrong_kind", detail)
    series = series_slices(noted)
    flat = [(rows, at) for rows in series for at in range(rows.height)]
    text = (
        ("header", "as the header has it"),
        ("read", "repaired"),
        ("published", "published repair"),
    )
    requests = [
        PanelRequest((rows.row(at, named=True),), mode, (words, _named(mode)), values, options.size)
        for rows, at in (
            flat[number] for number in _evenly_spaced(len(flat), options.count or ROWS)
        )
        for values, words in text
    ]
    return MontageLayout(tuple(requests), options.columns or len(text))


LAYOUTS: dict[str, Callable[[Source, MontageOptions], MontageLayout]] = {
    "study": _of_study,
    "random": _of_archive,
    "findings": _of_findings,
    "windows": _of_windows,
    "repair": _of_repair,
}


def _modes(
    options: MontageOptions, default: tuple[str, ...], most: int | None = None
) -> tuple[str, ...]:
    modes = options.windows or default
    if most is not None and len(modes) > most:
        raise ValueError(
            f"this layout shows one window, not {len(modes)}: {', '.join(modes)}; "
            "`layout=windows` shows several"
        )
    return modes


def _series(source: Source, modes: Iterable[str]) -> list[pl.DataFrame]:
    """Return all series where the header's window is enough; of CT where a mode needs HU."""
    if any(find_mode(mode).windows for mode in modes):
        return ct_series(source)
    if not source.images.height:
        raise RejectError("no_pixels", f"no image in {source.path}")
    return series_slices(source.images)


def _ids_with(labels: LabelTable, finding: Finding) -> frozenset[str]:
    """Return the ids of the images, or of the studies, that have a finding."""
    named = (pl.col("finding") == finding.name) & (pl.col("level") == finding.level)
    return frozenset(labels.frame.filter(named & (pl.col("value") >= 0.5))["id"].to_list())


def _positive(
    series: Sequence[pl.DataFrame], ids_with: Mapping[Finding, frozenset[str]], finding: Finding
) -> list[tuple[tuple[int, int], int]]:
    """Return ((series, place in it), number of findings) of every slice that has the finding, or
    whose study has it."""
    found = []
    for which, rows in enumerate(series):
        images, studies = rows["SOPInstanceUID"].to_list(), rows["StudyInstanceUID"].to_list()
        for at, ids in enumerate(zip(images, studies, strict=True)):
            present = [
                other for other, own in ids_with.items() if ids[other.level == "study"] in own
            ]
            if finding in present:
                found.append(((which, at), len(present)))
    return found


def _where(rows: pl.DataFrame, at: int, place_mm: float = np.nan) -> str:
    text = f"slice {at + 1} of {rows.height}"
    return text if np.isnan(place_mm) else f"{text}, {place_mm:.1f} mm"


def _named(mode: str) -> str:
    return "header's window" if mode == HEADER else mode


def _evenly_spaced(total: int, count: int | None) -> list[int]:
    """Return `count` of the numbers below `total`, evenly, both ends among them; None: all."""
    if count is None or count >= total:
        return list(range(total))
    return sorted(set(np.rint(np.linspace(0, total - 1, count)).astype(int).tolist()))


def _middles(total: int, count: int) -> list[int]:
    """Return the middles of `count` equal parts of the numbers below `total`."""
    count = min(count, total)
    return [int((number + 0.5) * total / count) for number in range(count)]


def _columns(panels: int) -> int:
    """Return a number of columns: about as many as rows, with the fewest places left empty."""
    about = max(1, round(float(np.sqrt(1.3 * panels))))
    near = [about, about + 1, about - 1] if about > 1 else [about]
    return min(near, key=lambda columns: -panels % columns)
