"""labels/reads_csv.py: what several readers called in the same studies, a row a study."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wetread.archive.types import Float64Array
from wetread.labels.csv_file import (
    check_ids,
    first_column,
    label_values,
    read_header,
    read_text_columns,
)
from wetread.labels.finding import Finding
from wetread.labels.table import LabelError

ID_COLUMNS = ("name", "study", "StudyInstanceUID", "image", "ImageId", "SOPInstanceUID", "id")
_COLUMN = re.compile(r"^\s*(?P<reader>[^:]+?)\s*:\s*(?P<word>.+?)\s*$")


@dataclass(frozen=True, eq=False)
class Reads:
    """Calls of R readers in N studies (or images).

    ids:     N names, as they are written.
    readers: R names.
    calls:   finding to (R, N) float64, 1 called, 0 not, NaN where a reader gave none.
    """

    ids: tuple[str, ...]
    readers: tuple[str, ...]
    calls: Mapping[str, Float64Array]


def read_reads(path: Path, findings: Sequence[Finding], abbreviations: Mapping[str, str]) -> Reads:
    """Read a CSV with a row a study and columns `READER:FINDING`, values 0 or 1, empty unknown.

    A finding is called by its name or one of the abbreviations; other columns are not read. The id
    is the first of ID_COLUMNS that is there. LabelError where no column names a reader and a
    finding, an id stands twice, or a value is neither 0 nor 1.
    """
    words = {_plain(finding.name): finding.name for finding in findings}
    words |= {_plain(short): name for short, name in abbreviations.items()}
    columns: dict[tuple[str, str], str] = {}  # reader and finding to the column
    for written in read_header(path):
        match = _COLUMN.match(written)
        if match is not None and _plain(match["word"]) in words:
            columns[match["reader"], words[_plain(match["word"])]] = written
    if not columns:
        known = ", ".join((*abbreviations, *(finding.name for finding in findings)))
        raise LabelError(
            f"{path}: no column READER:FINDING, as R1:{next(iter(abbreviations), 'NAME')}; "
            f"findings are called {known}. Rename the columns"
        )
    id_column = first_column(path, ID_COLUMNS, "study")
    rows = read_text_columns(path, (id_column, *columns.values()))
    check_ids(path, rows, id_column)
    twice = rows.filter(rows[id_column].is_duplicated())
    if twice.height:
        raise LabelError(
            f"{path}: line {twice['line'][0]}: {twice[id_column][0]!r} stands twice; a row is a "
            "study. Leave one of them"
        )
    readers = tuple(dict.fromkeys(reader for reader, _ in columns))
    calls = {
        finding.name: np.full((len(readers), rows.height), np.nan)
        for finding in findings
        if any(name == finding.name for _, name in columns)
    }
    for (reader, name), column in columns.items():
        values = label_values(path, rows, column).to_numpy()
        if not np.isin(values[~np.isnan(values)], (0.0, 1.0)).all():
            raise LabelError(f"{path}: column {column!r}: a reader's call is 0, 1 or empty")
        calls[name][readers.index(reader)] = values
    return Reads(tuple(rows[id_column]), readers, calls)


def reader_findings(path: Path) -> tuple[Finding, ...]:
    """List the findings of which a CSV has columns of two readers or more, as it calls them; none
    where it is no file of readers."""
    readers: dict[str, set[str]] = {}
    for written in read_header(path):
        if (match := _COLUMN.match(written)) is not None:
            readers.setdefault(match["word"], set()).add(match["reader"])
    return tuple(Finding(word) for word, names in readers.items() if len(names) > 1)


def _plain(word: str) -> str:
    """Return a word in small letters, words joined by underscores."""
    return re.sub(r"\W+", "_", word.strip().casefold())
