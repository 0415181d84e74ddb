"""cli/bundle.py: the command that makes a bundle of runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wetread.archive.files.foreign_text import format_bytes
from wetread.archive.plural import plural
from wetread.cli.options import AsJson, At, BlendRuns, Out, print_result
from wetread.cli.progress import bars


def bundle(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="runs of one task, which are averaged")
    ],
    out: Out,
    at: At = None,
    blend: BlendRuns = False,
    weights_license: Annotated[
        str | None, typer.Option(help="license of the weights, as CC-BY-4.0; default: not stated")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make runs one folder that is read without torch: ONNX, weights, card, MONAI's layout."""
    from wetread.verbs.bundle.bundle import bundle as make

    with bars() as report:
        result = make(runs, out, at=at, blend=blend, weights_license=weights_license, report=report)
    print_result(
        result.to_dict(),
        [
            f"{result.task}: {plural(len(result.graphs), 'ONNX graph')}, "
            f"{plural(result.files, 'file')}, {format_bytes(result.bytes)}: {result.out}",
            f"read new studies, without torch: wetread predict SRC --bundle {result.out} -o OUT",
        ],
        as_json,
    )
