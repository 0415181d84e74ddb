"""cli/archive.py: the commands that read an archive: index, show, pack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wetread.cli.options import (
    DONE,
    REFUSED,
    AsJson,
    ClearPatients,
    ClusterAddress,
    Files,
    Out,
    Repair,
    Verify,
    Workers,
    done_code,
    print_result,
)
from wetread.cli.progress import bars
from wetread.cli.text import counted, index_lines


def index(
    src: Files,
    out: Out,
    repair: Repair = True,
    table: Annotated[
        str | None,
        typer.Option(
            "--format", help="csv or parquet: a flat table as well; -o NAME.csv does it, too"
        ),
    ] = None,
    pictures: Annotated[
        str | None,
        typer.Option(
            metavar="MODALITY",
            help="take PNG, JPEG and NIfTI without a header for images of it, as DX or CT",
        ),
    ] = None,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    as_json: AsJson = False,
) -> None:
    """List what files hold and what is broken: a row each, or a reject with its reason."""
    from wetread.outputs.data_frame import table_paths
    from wetread.survey.first_warnings import first_warnings
    from wetread.verbs.index import index as run

    with bars() as report:
        found = run(
            src,
            out,
            workers=workers,
            cluster=cluster,
            report=report,
            repair=repair,
            table=table,
            pictures=pictures,
        )
    lines = index_lines(found, *table_paths(out, table))
    if not as_json and (shown := first_warnings(found)):
        lines.append(f"wetread explore would warn: {'; '.join(shown)}")
    print_result(found.counts(), lines, as_json)
    raise typer.Exit(REFUSED if found.refused else DONE)


def show(
    path: Annotated[
        Path, typer.Argument(metavar="FILE|DIR|ZIP", help="one file, or a tree or index")
    ],
    member: Annotated[str | None, typer.Option(help="one file inside a zip or tar")] = None,
    picture: Annotated[Path | None, typer.Option(help="the file's picture, as PNG")] = None,
    identifiers: Annotated[
        bool, typer.Option("--identifiers", help="print names, ids and dates too")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="long values and sequences whole")] = False,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Show one file (header, pixels, picture), or the content of a folder, zip or tar."""
    from wetread.cli import show_text
    from wetread.verbs.show import ShownFile, header_of
    from wetread.verbs.show import show as run

    with bars() as report:
        found = run(path, member=member, picture=picture, workers=workers, report=report)
    width, extent = show_text.terminal_width(), "full" if full else "short"
    if as_json:
        print_result(found.to_dict(), [], as_json)
    elif isinstance(found, ShownFile):
        lines = header_of(found, identifiers="show" if identifiers else "withhold")
        show_text.print_lines(show_text.header_text(lines, width, extent))
        show_text.print_lines(show_text.file_text(found, width))
    else:
        show_text.print_lines(show_text.tree_text(found, width))
    raise typer.Exit(REFUSED if found.refused else DONE)


def pack(
    index_file: Annotated[Path, typer.Argument(metavar="INDEX", help="what `wetread index` wrote")],
    out: Out,
    size: Annotated[int | None, typer.Option(min=8, help="pixels a side; default: full")] = None,
    verify: Verify = False,
    clear_patients: ClearPatients = False,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    as_json: AsJson = False,
) -> None:
    """Pack slices for random access, the stored integers kept."""
    from wetread.verbs.pack import pack as run

    with bars() as report:
        store = run(
            index_file,
            out,
            size=size,
            workers=workers,
            cluster=cluster,
            report=report,
            verify=verify,
            clear_patients=clear_patients,
        )
    counts = {"slices": len(store), "rejects": store.rejects.height, "bytes": store.disk_bytes}
    print_result(counts, [counted(counts), f"store: {out}"], as_json)
    raise typer.Exit(done_code(len(store), store.rejects.height))
