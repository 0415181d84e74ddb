"""cli/export.py: the command `wetread export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wetread.cli.options import (
    AsHU,
    AsJson,
    ClusterAddress,
    Out,
    Repair,
    Sources,
    Verify,
    Workers,
    done_code,
    print_result,
)
from wetread.cli.progress import bars


def export(
    format: Annotated[
        str, typer.Argument(metavar="FORMAT", help="png jpeg tiff, gif mp4, npy npz nifti")
    ],
    src: Sources,
    out: Out,
    window: Annotated[
        str, typer.Option(help="a mode or window; default: what each file's header says")
    ] = "metadata",
    size: Annotated[int | None, typer.Option(min=8, help="pixels a side")] = None,
    neighbors: Annotated[
        int,
        typer.Option(
            "--neighbors", "--neighbours", min=0, help="slices on either side, shown as channels"
        ),
    ] = 0,
    frames: Annotated[
        int | None, typer.Option(min=1, help="so many slices of a stack, evenly spread")
    ] = None,
    crop: Annotated[
        str, typer.Option(metavar="none|head|BOX", help="BOX: row0,row1,column0,column1")
    ] = "none",
    depth: Annotated[int, typer.Option(help="16: PNG and TIFF that keep the values")] = 8,
    spacing: Annotated[
        str | None, typer.Option(metavar="MM", help="arrays: 1, or slices,rows,columns")
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="arrays: NPY or NIfTI; outside it lies air")
    ] = None,
    annotate: Annotated[
        bool, typer.Option("--annotate", help="draw what the header says below the picture")
    ] = False,
    identifiers: Annotated[
        bool, typer.Option("--identifiers", help="with --annotate: name, id and dates too")
    ] = False,
    quality: Annotated[
        int | None, typer.Option(min=1, max=100, help="of jpeg (default 95) and mp4 (75)")
    ] = None,
    repair: Repair = True,
    as_hu: AsHU = False,
    verify: Verify = False,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    as_json: AsJson = False,
) -> None:
    """Write pictures, movies, arrays and NIfTI files, named by UIDs, with a manifest."""
    from wetread.cli.text import counted
    from wetread.verbs.export import export as run

    if identifiers and not annotate:
        raise ValueError("--identifiers says what --annotate draws; give both")
    with bars() as report:
        found = run(
            format,
            src,
            out,
            window=window,
            size=size,
            neighbors=neighbors,
            frames=frames,
            crop=crop,
            depth=depth,
            spacing_mm=None if spacing is None else spacing_of(spacing),
            mask=mask,
            annotate=("identifiers" if identifiers else "header") if annotate else "none",
            quality=quality,
            repair=repair,
            as_hu=as_hu,
            verify=verify,
            workers=workers,
            cluster=cluster,
            report=report,
        )
    counts = {"files": found.files, "slices": found.slices, "refused": found.refused}
    lines = [counted(counts), f"manifest: {out / 'manifest.csv'}"]
    if found.refused:
        lines.append(f"refused: {out / 'rejects.csv'}")
    if not found.files:
        lines.append("nothing was exported: no image of the sources can be used")
    print_result(found.to_dict(), lines, as_json)
    raise typer.Exit(done_code(found.files, found.refused))


def spacing_of(text: str) -> tuple[float, float, float]:
    """Return "1" or "5,0.5,0.5" as mm between slices, rows and columns."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ValueError(f"--spacing is 1, or slices,rows,columns in mm, not {text!r}") from error
    if len(numbers) not in (1, 3):
        raise ValueError(f"--spacing takes one number or three, not {len(numbers)}: {text!r}")
    slices, rows, columns = numbers * 3 if len(numbers) == 1 else numbers
    return slices, rows, columns
