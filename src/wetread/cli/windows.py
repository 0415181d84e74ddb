"""cli/windows.py: the command `wetread windows`: the table, a mode's values, or the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wetread.archive.plural import plural
from wetread.cli.options import DONE, REFUSED, AsHU, AsJson, Workers, print_result
from wetread.cli.progress import bars

if TYPE_CHECKING:  # for types alone, as in cli/text.py
    from wetread.verbs.windows import ModeValues


def windows(
    src: Annotated[
        Path | None,
        typer.Argument(metavar="[SRC]", help="a folder, zip or file of CT, or an index"),
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="the page, HTML")] = None,
    mode: Annotated[
        str | None, typer.Option(help="a mode or window: bsb, 40/80/sigmoid, bsb:lung,brain,bone")
    ] = None,
    hu: Annotated[str | None, typer.Option(metavar="LIST", help="HU: -1000,0,40")] = None,
    source: Annotated[
        Path | None, typer.Option("--src", help="the file whose own window a mode shows")
    ] = None,
    series: Annotated[str | None, typer.Option(help="SeriesInstanceUID to show")] = None,
    as_hu: AsHU = False,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """List windows and modes, print the values of one, or chart them all with -o PAGE."""
    from wetread.verbs import windows as verb

    if src is not None and source is not None:
        raise ValueError(f"two sources, {src} and --src {source}; give one")
    src = src or source
    if (mode is None) != (hu is None):
        raise ValueError("a mode's values are asked for with both --mode NAME and --hu LIST")
    if mode is not None and hu is not None:
        found = verb.mode_values(mode, _numbers(hu), src)
        print_result(found.to_dict(), list(_value_lines(found)), as_json)
        raise typer.Exit(DONE)
    if out is None:
        if src is not None:
            raise ValueError(f"say where the page of {src} goes: -o PAGE.html")
        print_result(verb.windows_and_modes(), list(_table()), as_json)
        raise typer.Exit(DONE)
    with bars() as report:
        result = verb.windows(src, out, series=series, as_hu=as_hu, workers=workers, report=report)
    counts = f"{plural(len(result.modes), 'mode')}, {plural(result.slices, 'slice')}"
    lines = [counts, f"page: {result.page}"]
    if result.refused:
        lines.insert(
            1, f"{plural(result.refused, 'file')} cannot be used; wetread show {src} says why"
        )
    print_result(result.to_dict(), lines, as_json)
    raise typer.Exit(REFUSED if result.refused else DONE)


def _numbers(text: str) -> list[float]:
    """ "-1000,0 40" as numbers."""
    parts = text.replace(",", " ").split()
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if not numbers or not all(abs(number) < 1e9 for number in numbers):
        raise ValueError(f"--hu {text!r}: give numbers of HU, as in --hu -1000,0,40")
    return numbers


def _value_lines(found: ModeValues) -> Iterator[str]:
    yield f"{found.mode}: red, green, blue from 0 to 1"
    for hu, value in zip(found.hu, found.values, strict=True):
        yield f"{hu:>8g} HU  " + "  ".join(f"{channel:.4f}" for channel in value)


def _table() -> Iterator[str]:
    """Windows in three columns, then the modes."""
    from wetread.verbs.windows import describe_mode
    from wetread.view.mode import MODES
    from wetread.view.window import CURVES, WINDOWS

    yield "windows, center/width in HU"
    cells = [f"{name} {w.center_hu:g}/{w.width_hu:g}" for name, w in WINDOWS.items()]
    for at in range(0, len(cells), 3):
        yield "  " + "".join(f"{cell:<26}" for cell in cells[at : at + 3]).rstrip()
    yield f"curves: {', '.join(CURVES)}; 40/80/sigmoid is a window, too"
    yield "modes; their own windows after a colon, as bsb:lung,pulmonary,40/400"
    for name, mode in MODES.items():
        yield f"  {name:<21} {describe_mode(mode)}"
    yield "the chart of all: wetread windows [SRC] -o PAGE.html"
