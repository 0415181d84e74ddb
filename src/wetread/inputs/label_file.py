"""inputs/label_file.py: a label file as a verb is given it: the competition's form, or one's
own."""

from collections.abc import Mapping
from pathlib import Path

from wetread.inputs.mask_pictures import read_mask_pictures
from wetread.inputs.segmentations import is_segmentation_file, read_segmentations
from wetread.inputs.truth_masks import is_mask_file, mask_finding
from wetread.labels.columns_csv import read_columns_csv
from wetread.labels.csv_file import split_spec
from wetread.labels.named_column import read_named_column
from wetread.labels.table import LabelError, LabelTable
from wetread.tasks import Task

ID = "id"  # how the column of SOPInstanceUIDs is asked for


def read_label_file(given: str | Path, task: Task, columns: Mapping[str, str] | None) -> LabelTable:
    """Read a label file in the competition's form, or one's own with its columns named.

    given: a path; `FILE.csv:COLUMN` for the headline finding in that column; a DICOM Segmentation
    (`FILE.dcm`); a folder of Segmentations, or else of PNG masks. `:FINDING` behind these says of
    what they are. columns: "id" and
    findings to the names of their columns. Raises ValueError where columns name something else,
    LabelError where the file cannot be read.
    """
    path, column = split_spec(given)
    if is_mask_file(Path(given)):
        raise LabelError(
            f"{path}: a mask lies on the grid of a series, and none is given here; train, "
            "evaluate and explore take it beside the archive"
        )
    if path.is_dir():
        segmentations = sorted(filter(is_segmentation_file, path.rglob("*")))
        if segmentations:
            return read_segmentations(segmentations, column, task)
        return read_mask_pictures(path, mask_finding(path, column, task).name)
    if is_segmentation_file(path):
        return read_segmentations([path], column, task)
    if column is not None:
        return read_named_column(path, column, [task.findings[task.headline_column]])
    if not columns:
        return task.read_labels(path, task.findings)
    by_name = {finding.name: finding for finding in task.findings}
    strange = sorted(columns.keys() - by_name.keys() - {ID})
    if ID not in columns or strange:
        raise ValueError(
            f"columns name {ID} and findings ({', '.join(by_name)}); "
            + (f"{', '.join(strange)} is none of these" if strange else f"{ID} is missing")
        )
    named = {by_name[name]: column for name, column in columns.items() if name != ID}
    return read_columns_csv(path, columns[ID], named)
