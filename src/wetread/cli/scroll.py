"""cli/scroll.py: the command `wetread scroll`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wetread.archive.plural import plural
from wetread.cli.options import DONE, REFUSED, AsJson, Out, Sources, Workers, print_result
from wetread.cli.progress import bars

if TYPE_CHECKING:
    from wetread.verbs.scroll.scroll import ScrollResult

MOST_LISTED = 5  # other series; more are counted


def scroll(
    src: Sources,
    out: Out,
    series: Annotated[str | None, typer.Option(metavar="UID", help="default: the best one")] = None,
    mask: Annotated[
        list[Path] | None, typer.Option(help="NIfTI or NPY in the series' space; repeatable")
    ] = None,
    window: Annotated[
        str | None, typer.Option(help="shown first: a name, or center/width as 40/80")
    ] = None,
    every_series: Annotated[
        bool,
        typer.Option("--all", help="a page for every series, into the folder OUT, with a list"),
    ] = False,
    most_mb: Annotated[
        float | None, typer.Option("--max-mb", min=1, help="a larger page is refused; default: 400")
    ] = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Write one HTML page to scroll a series: windows, masks, values; works offline."""
    from wetread.verbs.scroll.scroll import scroll as run

    with bars() as report:
        result = run(
            src,
            out,
            series=series,
            masks=mask or (),
            window=window,
            every_series=every_series,
            most_mb=most_mb,
            workers=workers,
            report=report,
        )
    print_result(result.to_dict(), scroll_lines(result), as_json)
    raise typer.Exit(REFUSED if result.refused else DONE)


def scroll_lines(result: ScrollResult) -> list[str]:
    """Return the pages with their issues, and the series that were not taken."""
    lines = []
    for page in result.pages:
        lines.append(
            f"series {page.series_uid}: {plural(page.slices, 'slice')}, {page.bytes / 1e6:.1f} MB"
        )
        lines += [f"  {issue.name}: {issue.detail}" for issue in page.issues]
        lines.append(f"page: {page.page}")
    if result.index is not None:
        lines.append(f"all: {result.index}")
    lines += [
        f"series {series.series_uid}: {series.reason}: {series.detail}" for series in result.unread
    ]
    if result.others:
        lines.append(f"{len(result.others)} other series; choose with --series UID, or --all:")
    for other in result.others[:MOST_LISTED]:
        why = f"  ({'; '.join(other.reasons)})" if other.reasons else ""
        lines.append(f"  {other.series_uid}  {plural(other.slices, 'slice')}{why}")
    if len(result.others) > MOST_LISTED:
        lines.append(f"  and {len(result.others) - MOST_LISTED} more; wetread show lists them")
    if result.refused:
        lines.append(f"{plural(result.refused, 'file')} or series refused; wetread show says why")
    return lines
