"""labels/text_table.py: a table of text as people save it, as a frame of text.

Encoding and separator are read where they are sure: a byte order mark or UTF-16's zeros, the one
separator by which every line has the header's fields. What is plain (UTF-8, commas) goes to polars
as it lies.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl

from wetread.archive.files.table_file import read_csv
from wetread.labels.table import LabelError
from wetread.labels.table_bytes import GZIP, HEAD, ZIP, read_content, read_head
from wetread.labels.typed_table import PARQUET, is_typed_table, read_typed_table

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_LINES = 50  # of the head, by which the separator is found
_OTHERS = (  # what is saved or fetched in place of a table, by its first bytes
    (b"PK\x03\x04", "a zip or a workbook (.xlsx, .ods)"),
    (b"\xd0\xcf\x11\xe0", "a workbook (.xls)"),
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "rich text (.rtf)"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
)
_MARKS = (  # longest first: UTF-32's little-endian mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


@dataclass(frozen=True)
class TextForm:
    """How a file is written.

    encoding:   a name of Python's; "latin-1" where it is no UTF-8: only its ASCII is sure.
    separator:  what parts the fields.
    skipped:    lines before the header (`sep=;`).
    old_lines:  lines end with a carriage return alone.
    """

    encoding: str = "utf-8"
    separator: str = ","
    skipped: int = 0
    old_lines: bool = False

    @property
    def plain(self) -> bool:
        """Whether polars reads it as it lies."""
        return self in (TextForm(), TextForm("utf-8-sig"))


@dataclass(frozen=True, eq=False)
class TextTable:
    """All fields as text, null where empty; the line in the file of the first row of the frame."""

    frame: pl.DataFrame
    form: TextForm
    first_line: int


def read_text_table(path: Path, *, has_header: bool = True, rows: int | None = None) -> TextTable:
    """Read a file; rows: so many at most. LabelError where it cannot be read."""
    try:
        packed, head = read_head(path)
        if is_typed_table(path, head):
            frame = read_typed_table(path, read_content(path))
            return TextTable(frame if rows is None else frame.head(rows), TextForm(), 1)
        form = detect_text_form(path, head)
        first_line = 1 + form.skipped + has_header
        if form.plain and not packed:
            try:
                frame = read_csv(path, infer_schema=False, has_header=has_header, n_rows=rows)
                return TextTable(frame, form, first_line)
            except pl.exceptions.PolarsError as problem:
                if isinstance(problem, pl.exceptions.NoDataError):
                    raise
        form, text = _decode(path, form)
    except FileNotFoundError:
        raise LabelError(f"{path}: there is no such label file; check the path.") from None
    except pl.exceptions.NoDataError:
        raise LabelError(f"{path}: the file is empty; a header line is expected.") from None
    except OSError as problem:
        raise LabelError(
            f"{path}: cannot be read ({problem.strerror or problem}); a CSV file in UTF-8 "
            "is expected"
        ) from problem
    return TextTable(_parse(path, form, text, has_header, rows), form, first_line)


def is_plain(path: Path) -> bool:
    """Whether a file is UTF-8 with commas to its end, so that it may be read piece by piece."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            if head.startswith((GZIP, ZIP, PARQUET)) or not detect_text_form(path, head).plain:
                return False
            decoder.decode(head)
            while piece := file.read(16 * HEAD):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def detect_text_form(path: Path, head: bytes) -> TextForm:
    """Detect the form of a file from its first bytes. LabelError where it is no table of text, or
    its separator is not sure."""
    _refuse_others(path, head)
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    encoding = encoding or _without_mark(head)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise LabelError(
            f"{path}: zero bytes stand in it, as in no table of text; it is damaged or something "
            "else. Save the table as CSV, UTF-8."
        )
    old_lines = "\r" in text and "\n" not in text
    lines = [line for line in text.splitlines() if line.strip()]
    if len(head) == HEAD:
        lines = lines[:-1]  # it may be cut
    first = lines[0].strip(' \r"') if lines else ""
    if first.lower().startswith("sep=") and len(first.rstrip()) <= 5:
        separator = first[4:5]
        return TextForm(encoding, separator or ",", 1, old_lines)
    return TextForm(encoding, _separator(path, lines[:_LINES]), 0, old_lines)


def _refuse_others(path: Path, head: bytes) -> None:
    """Name a file that is no table of text by what it begins with."""
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    kind = next((kind for mark, kind in _OTHERS if start.startswith(mark.lower())), None)
    if kind is not None:
        raise LabelError(f"{path}: this is {kind}, no table of text. Save the table as CSV, UTF-8.")


def _without_mark(head: bytes) -> str:
    """Guess UTF-16 where every other byte is mostly zero, as Latin letters make it; else UTF-8."""
    half = max(len(head) // 2, 1)
    even, odd = head[::2].count(0) / half, head[1::2].count(0) / half
    if odd > 0.7 and even < 0.3:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 and odd < 0.3 else "utf-8"


def _separator(path: Path, lines: list[str]) -> str:
    """Find the separator by which all lines have as many fields as the first; a comma where there
    is none."""
    counts = {
        mark: [len(fields) for fields in csv.reader(lines, delimiter=mark)] for mark in SEPARATORS
    }
    present = [mark for mark, fields in counts.items() if fields and fields[0] > 1]
    if len(present) <= 1:
        return present[0] if present else ","
    even = [mark for mark in present if len(set(counts[mark])) == 1]
    if len(even) == 1:
        return even[0]
    if "," in present and not even:
        return ","  # whoever reads its lines names what is wrong with them
    several = " and ".join(SEPARATORS[mark] for mark in even or present)
    raise LabelError(
        f"{path}: the separator is not sure, {several} each part the header's fields. Save "
        "it again with commas, the other in quotes."
    )


def _decode(path: Path, form: TextForm) -> tuple[TextForm, str]:
    """Decode the whole text; as Latin-1 where it is no UTF-8, of which only ASCII is sure."""
    content = read_content(path)
    try:
        return form, content.decode(form.encoding)
    except UnicodeDecodeError as problem:
        if not form.encoding.startswith("utf-8"):
            raise LabelError(
                f"{path}: cannot be read as {form.encoding.upper()} (byte {problem.start}); "
                "save it again as CSV, UTF-8."
            ) from None
    text = content.decode("latin-1")
    return TextForm("latin-1", form.separator, form.skipped, form.old_lines), text


def _parse(
    path: Path, form: TextForm, text: str, has_header: bool, rows: int | None
) -> pl.DataFrame:
    """Parse the fields of a decoded text. LabelError, with its line, where one has too many."""
    if form.skipped:
        text = text.split("\n", form.skipped)[-1]
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # a mask may be a long field
    parts = csv.reader(io.StringIO(text, newline=""), delimiter=form.separator)
    names = next((fields for fields in parts if any(fields)), None)
    if names is None:
        raise LabelError(f"{path}: the file is empty; a header line is expected.")
    names[0] = names[0].removeprefix("\ufeff")
    table = [] if has_header else [names]
    for fields in islice(parts, rows):
        if any(fields[len(names) :]):
            raise LabelError(
                f"{path}: cannot be read: line {parts.line_num + form.skipped} has {len(fields)} "
                f"fields, parted by {SEPARATORS[form.separator]}s, and the first line "
                f"{len(names)}. Correct the line: a field that holds the separator stands in quotes"
                f"{_DECIMAL if form.separator == ',' else ''}."
            )
        lacking = len(names) - len(fields)
        table.append([*fields[: len(names)], *[""] * lacking])
    columns = _distinct(names) if has_header else [f"column_{k + 1}" for k in range(len(names))]
    frame = pl.DataFrame(table, schema=dict.fromkeys(columns, pl.String), orient="row")
    return frame.with_columns(pl.all().replace("", None))


_DECIMAL = ", and so does a number with a decimal comma"


def _distinct(names: list[str]) -> list[str]:
    """Make names of columns distinct, a repeated one by its number, as polars does."""
    counts: Counter[str] = Counter()
    distinct = []
    for name in names:
        distinct.append(f"{name}_duplicated_{counts[name] - 1}" if counts[name] else name)
        counts[name] += 1
    return distinct
