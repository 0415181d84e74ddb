"""outputs/rejects.py: the files that could not be used, one row each."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wetread.archive.files.atomic import write_csv
from wetread.archive.rejects import Reject

SCHEMA: dict[str, pl.DataType] = {
    "path": pl.String(),
    "member": pl.String(),
    "reason": pl.String(),
    "detail": pl.String(),
}


def write_rejects(rejects: Sequence[Reject], path: Path) -> None:
    """Write rejects.csv: path, member, reason, detail; the header alone without rejects."""
    rows = [(part.path, part.member, part.reason, part.detail) for part in rejects]
    write_csv(path, pl.DataFrame(rows, schema=SCHEMA, orient="row"))
