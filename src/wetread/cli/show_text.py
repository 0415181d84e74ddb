"""cli/show_text.py: results of `wetread show` as lines for a terminal; plain where it is piped."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pydicom.uid import UID
from rich.console import Console
from rich.text import Text

from wetread.archive.files.foreign_text import escaped
from wetread.archive.notes import NAMED, name_and_detail
from wetread.archive.plural import plural
from wetread.archive.rejects import REASONS
from wetread.cli.option_names import name_options
from wetread.cli.text import sum_of_files, sum_of_series

if TYPE_CHECKING:  # for types alone, as in cli/text.py
    from wetread.outputs.header_text import HeaderLine
    from wetread.study.issue import Issue
    from wetread.study.overview import SeriesOverview
    from wetread.verbs.show import ShownFile, ShownTree

MOST_ITEMS = 3  # of a sequence
MOST_SERIES = 40
MOST_REJECTS = 5  # of one reason
WIDTH = 80  # where no terminal says otherwise
_TAG, _KEYWORD = 11, 26  # columns
_LABEL = 10
_STYLES = {"withheld": "dim", "bytes": "dim", "items": "", "value": "", "fault": "bold red"}
_STATES = {"read": "bold green", "not_image": "bold", "reject": "bold red"}


def print_lines(lines: Iterable[Text]) -> None:
    """Print lines to stdout, in color where it is a terminal."""
    console = Console(highlight=False, soft_wrap=True)
    with console.capture() as captured:
        for line in lines:
            console.print(line)
    sys.stdout.write(captured.get())


def terminal_width() -> int:
    """Return the columns of the terminal; 80 where there is none."""
    return Console().width if sys.stdout.isatty() else WIDTH


def header_text(lines: Iterable[HeaderLine], width: int, extent: str) -> Iterator[Text]:
    """Yield tag, VR, keyword and value in columns; extent "short" cuts long values, sequences."""
    most = MOST_ITEMS if extent == "short" else None
    skipped, depth = 0, 0  # items left out, of the sequence at that depth
    for line in lines:
        if skipped and line.depth >= depth:
            skipped += line.form == "items" and line.depth == depth and not line.vr
            continue
        if skipped:
            yield _more_items(skipped, depth)
            skipped = 0
        if most is not None and line.tag == f"item {most + 1}":
            skipped, depth = 1, line.depth
            continue
        yield from _header_line(line, width, extent)
    if skipped:
        yield _more_items(skipped, depth)


def _more_items(count: int, depth: int) -> Text:
    return Text(f"{'  ' * depth}... and {plural(count, 'more item')}", "dim")


def _header_line(line: HeaderLine, width: int, extent: str) -> Iterator[Text]:
    indent = "  " * line.depth
    if line.form == "fault":
        yield from _labeled("damaged", line.value, width, _STYLES["fault"])
        return
    if line.tag.startswith("item"):
        yield Text(f"{indent}{line.tag}", "dim")
        return
    text = Text(f"{indent}{line.tag:<{_TAG}} ", "cyan")
    text.append(f"{line.vr:<2} ", "dim")
    text.append(f"{line.keyword:<{max(_KEYWORD - len(indent), 1)}}", "")
    if not line.value:
        text.rstrip()
        yield text
        return
    room = width - len(text) - 1
    if len(line.value) <= room:
        yield text.append(f" {line.value}", _STYLES[line.form])
        return
    text.rstrip()
    yield text
    lead = " " * (len(indent) + _TAG + 4)
    room = max(width - len(lead), 20)
    value = line.value
    if extent == "short":
        yield Text(lead + _cut(value, room), _STYLES[line.form])
        return
    for at in range(0, len(value), room):
        yield Text(lead + value[at : at + room], _STYLES[line.form])


def _cut(value: str, room: int) -> str:
    """Return the beginning of a value that is longer than the room, and its length."""
    if len(value) <= room:
        return value
    end = f"... ({len(value)} characters)"
    return value[: room - len(end)] + end


def file_text(found: ShownFile, width: int) -> Iterator[Text]:
    """Yield the state of one file, its form, values, place and issues."""
    row = found.row
    name = f"{found.path}" if found.member is None else f"{found.path} {found.member}"
    yield Text("")
    yield Text(escaped(name), "bold")
    if found.state == "reject":
        reason = f"{found.reason}: {REASONS[found.reason or '']}"
        yield from _labeled("reject", reason, width, _STATES["reject"])
        yield from _labeled("", found.detail or "", width)
        part = "the header" if found.header == "reject" else "the pixels; the header is read"
        yield from _labeled("refused", part, width)
    kind = _name(row.get("SOPClassUID")) or "no SOP class"
    if found.state == "not_image":
        yield from _labeled(
            "no image", f"{row.get('Modality') or ''} {kind}".strip(), width, "bold"
        )
    elif row.get("Rows"):
        state = "read" if found.state == "read" else "header"
        yield from _labeled(state, _form(found, kind), width, _STATES[found.state])
    if row.get("TransferSyntaxUID"):
        yield from _labeled("syntax", _name(row["TransferSyntaxUID"]), width)
    if found.values is not None:
        values = found.values
        text = (
            f"{values.min:g} to {values.max:g}, mean {values.mean:.6g} {values.unit or '(no unit)'}"
        )
        yield from _labeled("values", text, width)
    if place := _place(found):
        yield from _labeled("place", place, width)
    yield from _issues(found.issues, width)
    for note in row.get("notes") or ():
        if name_and_detail(note)[0] in NAMED:
            continue  # an issue above
        yield from _labeled("note", note, width, "dim")
    if found.picture is not None:
        yield from _labeled("picture", str(found.picture), width)


def _form(found: ShownFile, kind: str) -> str:
    row = found.row
    frames = row.get("NumberOfFrames") or 1
    sign = "signed" if row.get("PixelRepresentation") == 1 else "unsigned"
    text = f"{row.get('Modality') or 'no modality'}, {row['Rows']} x {row['Columns']} pixels"
    text += f", {frames} frames" if frames > 1 else ""
    text += f", {row.get('BitsStored')} of {row.get('BitsAllocated')} bits {sign}"
    return f"{text}, {row.get('PhotometricInterpretation') or 'no photometry'}, {kind}"


def _place(found: ShownFile) -> str:
    row, parts = found.row, []
    if row.get("row_spacing_mm"):
        parts.append(_spacing((row["row_spacing_mm"], row["column_spacing_mm"])))
    if row.get("SliceThickness"):
        parts.append(f"{row['SliceThickness']:g} mm thick")
    if row.get("position_mm"):
        parts.append("at " + ", ".join(f"{mm:.2f}" for mm in row["position_mm"]) + " mm (LPS)")
    return ", ".join(parts)


def tree_text(found: ShownTree, width: int) -> Iterator[Text]:
    """Yield counts that add up, studies with their series, then the rejects by reason."""
    counts = found.counts
    yield Text(escaped(str(found.path)), "bold")
    yield Text(sum_of_files(counts))
    yield Text(sum_of_series(counts))
    study: str | None = ""
    for series in found.series[:MOST_SERIES]:
        if series.study_uid != study:
            study = series.study_uid
            yield Text("")
            yield Text(f"study {escaped(study or 'without a UID')}", "bold")
        yield from _series(series, width)
    if len(found.series) > MOST_SERIES:
        yield Text(f"... and {len(found.series) - MOST_SERIES} more series (--json lists all)")
    yield from _rejects(found, width)


def _series(series: SeriesOverview, width: int) -> Iterator[Text]:
    yield Text(f"  series {escaped(series.series_uid or 'without a UID')}")
    size = f"{series.rows} x {series.columns}"
    parts = [series.modality or "no modality", plural(series.slices, "slice"), size]
    if series.spacing_mm:
        parts.append(_spacing(series.spacing_mm))
    if series.distances_mm:
        shown = ", ".join(f"{mm:.3f}" for mm in series.distances_mm[:4])
        more = (
            f" and {plural(len(series.distances_mm) - 4, 'other')}"
            if len(series.distances_mm) > 4
            else ""
        )
        parts.append(f"apart {shown}{more} mm")
    if series.tilt_degrees is not None:
        parts.append(f"tilt {series.tilt_degrees:.2f} degrees")
    yield from _labeled("", ", ".join(parts), width, lead=4)
    yield from _issues(series.issues, width, lead=4)


def _rejects(found: ShownTree, width: int) -> Iterator[Text]:
    if found.rejects.height:
        yield Text("")
    for reason, number in found.counts["by_reason"].items():
        text = f"{number} rejected, {reason}: {REASONS[reason]}"
        yield from _labeled("", text, width, "red", lead=2)
        rows = found.rejects.filter(found.rejects["reason"] == reason)
        for path, member, detail in rows["path", "member", "detail"][:MOST_REJECTS].iter_rows():
            yield Text(f"      {escaped(path if member is None else f'{path} {member}')}")
            yield from _labeled("", detail or "", width, "dim", lead=8)
        if number > MOST_REJECTS:
            yield Text(f"      ... and {number - MOST_REJECTS} more (--json lists all)", "dim")


def _issues(issues: Iterable[Issue], width: int, lead: int = 0) -> Iterator[Text]:
    for issue in issues:
        yield from _labeled("issue", f"{issue.name}: {issue.detail}", width, "yellow", lead)


def _spacing(spacing: tuple[float, float]) -> str:
    rows, columns = spacing
    return f"{rows:.4g} x {columns:.4g} mm (rows x columns)"


def _labeled(label: str, text: str, width: int, style: str = "", lead: int = 0) -> Iterator[Text]:
    """Yield `label     text`, the rest of a long text below it; no word is cut."""
    if lead:
        start = " " * lead + (f"{label}: " if label else "")
        hang = " " * (lead + 2)
    else:
        start, hang = f"{label:<{_LABEL}}", " " * _LABEL
    line = start
    fresh = True
    for word in escaped(name_options(text)).split(" "):
        if not fresh and len(line) + 1 + len(word) > width:
            yield Text(line, style)
            line, fresh = hang, True
        line += word if fresh else f" {word}"
        fresh = False
    yield Text(line.rstrip(), style)


def _name(uid: str | None) -> str:
    """Return the standard's name of a UID, the UID itself where it has none."""
    return UID(uid).name if uid else ""
