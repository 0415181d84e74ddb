"""cli/segment.py: the command `wetread segment`: an organ of every CT volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from wetread.archive.plural import plural
from wetread.cli.examples import organ_names
from wetread.cli.options import (
    AsHU,
    AsJson,
    ClusterAddress,
    Out,
    Sources,
    Workers,
    done_code,
    print_result,
)
from wetread.cli.progress import bars
from wetread.cli.text import MOST

if TYPE_CHECKING:
    from wetread.verbs.segment.segment import SegmentResult


def segment(
    organ: Annotated[
        str,
        typer.Argument(
            metavar="ORGAN", help="lungs, airway, brain, bone, body", autocompletion=organ_names
        ),
    ],
    src: Sources,
    out: Out,
    method: Annotated[str | None, typer.Option(help="a method other than the default")] = None,
    closing: Annotated[
        float | None, typer.Option(min=0, metavar="MM", help="radius of the gaps that are closed")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(metavar="HU", help="where bone begins, or lung ends")
    ] = None,
    mesh: Annotated[
        list[str] | None, typer.Option(metavar="FORM", help="stl, ply, obj; repeatable")
    ] = None,
    page: Annotated[bool, typer.Option("--page", help="a page to turn the surfaces on")] = False,
    gaps: Annotated[
        str, typer.Option(help="uneven slices: refuse, keep, fill, resample, split")
    ] = "refuse",
    as_hu: AsHU = False,
    cluster: ClusterAddress = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Segment an organ in every CT volume: masks, milliliters, boxes, surfaces, pictures."""
    from wetread.verbs.segment.segment import segment as run

    with bars() as report:
        found = run(
            organ,
            src,
            out,
            method=method,
            closing_mm=closing,
            threshold_hu=threshold,
            meshes=mesh or (),
            page=page,
            gaps=gaps,
            as_hu=as_hu,
            cluster=cluster,
            workers=workers,
            report=report,
        )
    print_result(found.to_dict(), segment_lines(found), as_json)
    raise typer.Exit(done_code(len(found.series), found.refused))


def segment_lines(found: SegmentResult) -> list[str]:
    """Return a line a mask, a line a reject, where the masks lie, and the counts."""
    lines = [
        f"{_which(entry)}  {mask['name']}  {mask['volume_ml']:.1f} ml"
        for entry in found.series
        for mask in entry["masks"]
    ]
    refused = [reject for reject in found.rejects if reject.reason != "not_dicom"]
    lines += [f"rejected  {reject.reason}: {reject.detail}" for reject in refused[:MOST]]
    if len(refused) > MOST:
        lines.append(f"and {len(refused) - MOST} more: {found.out / 'rejects.csv'}")
    return [
        *lines,
        f"masks: {found.out}",
        f"{plural(len(found.series), 'volume')}, {len(refused)} refused",
    ]


def _which(entry: dict[str, Any]) -> str:
    """Return the name of a volume: its series, and its acquisition."""
    series = entry["series_uid"] or "no series UID"
    return f"{series} {entry['acquisition']}" if entry["acquisition"] else str(series)
