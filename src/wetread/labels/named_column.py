"""labels/named_column.py: one column of a CSV file as the image labels of one finding."""

from collections.abc import Sequence
from pathlib import Path

from wetread.labels.columns_csv import read_columns_csv
from wetread.labels.csv_file import first_column
from wetread.labels.finding import Finding
from wetread.labels.rle_csv import only_finding
from wetread.labels.table import LabelTable

ID_COLUMNS = ("ImageId", "image", "SOPInstanceUID", "id", "ID")


def read_named_column(path: Path, column: str, findings: Sequence[Finding]) -> LabelTable:
    """Read values 0 to 1 of the column, an empty cell unknown; the id is the first of ID_COLUMNS
    there.

    It holds no masks: an image that has the finding has it somewhere.
    """
    finding = Finding(only_finding(path, findings).name, level="image")
    return read_columns_csv(path, first_column(path, ID_COLUMNS, "image"), {finding: column})
