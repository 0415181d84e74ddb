"""outputs/data_frame.py: an Index as the flat table that notebooks read, as CSV or parquet.

The first columns carry the names that data frames of DICOM headers commonly have; the Index's own
columns follow. No list columns: several numbers stand in one text, a backslash between them.
"""

from io import BytesIO
from pathlib import Path

import polars as pl
from pydicom.uid import UID

from wetread.archive.files.atomic import write_csv, write_output

FORMATS = ("csv", "parquet")
# Column of the table: column of the Index. x runs along a row, from column to column.
NAMES = {
    "file_path": "path",
    "storage_type": "SOPClassUID",  # as the standard names it
    "patient_id": "PatientID",
    "patient_age": "age_years",
    "patient_sex": "PatientSex",
    "modality": "Modality",
    "body_part_examined": "BodyPartExamined",
    "view_position": "ViewPosition",
    "image_height": "Rows",
    "image_width": "Columns",
    "image_size": "",  # bytes of the uncompressed pixels
    "pixel_spacing_x": "column_spacing_mm",
    "pixel_spacing_y": "row_spacing_mm",
}
_KEPT = {"SOPClassUID"}  # of those above also under its own name: the UID itself


def data_frame(instances: pl.DataFrame) -> pl.DataFrame:
    """Return one row an instance of the Index: the columns of NAMES, then the Index's others.

    Of an object that is no image the size and the spacing are null. There is no patient's name: the
    Index does not keep it.
    """
    named = [
        (_image_size() if not column else pl.col(column)).alias(name)
        for name, column in NAMES.items()
    ]
    others = [name for name in instances.columns if name not in {*NAMES.values()} - _KEPT]
    table = instances.select(*named, *others)
    table = table.with_columns(
        pl.col("storage_type").map_elements(lambda uid: UID(uid).name, return_dtype=pl.String)
    )
    lists = [name for name, dtype in table.schema.items() if isinstance(dtype, pl.List)]
    joined = pl.col(lists).cast(pl.List(pl.String)).list.join("\\")
    return table.with_columns(joined.replace("", None))


def _image_size() -> pl.Expr:
    """Return the bytes of the uncompressed pixels (PS3.5 8.1.1)."""
    samples = pl.col("SamplesPerPixel").fill_null(1)
    halved = (pl.col("PhotometricInterpretation") == "YBR_FULL_422").fill_null(False)
    samples = pl.when(halved & (samples == 3)).then(2).otherwise(samples)
    frames = pl.col("NumberOfFrames").fill_null(1)
    bits = pl.col("Rows") * pl.col("Columns") * frames * samples * pl.col("BitsAllocated")
    return pl.when(pl.col("state") == "image").then((bits + 7) // 8)


def table_paths(out: Path, form: str | None) -> tuple[Path, Path | None]:
    """Return (index, table): NAME.parquet, and where asked for NAME.csv or NAME.frame.parquet.

    form: csv or parquet; None: csv where `out` ends so, else no table. ValueError for a form that
    there is not, and for an `out` that says another one by its ending.
    """
    ending = out.suffix.lower()
    if ending not in (".parquet", ".csv"):
        raise ValueError(
            f"{out}: an index ends with .parquet, or with .csv for a flat table beside it; "
            f"name it {out.name}.parquet"
        )
    form = form or ("csv" if ending == ".csv" else None)
    if form is None:
        return out, None
    if form not in FORMATS:
        raise ValueError(f"no format {form!r}; there are: {', '.join(FORMATS)}")
    index = out.with_suffix(".parquet") if ending == ".csv" else out
    if form == "csv":
        return index, out if ending == ".csv" else out.with_suffix(".csv")
    return index, out.with_name(f"{out.stem}.frame.parquet")


def write_data_frame(instances: pl.DataFrame, path: Path) -> None:
    """Write the table to path, as CSV or parquet by its suffix."""
    table = data_frame(instances)
    if path.suffix.lower() == ".csv":
        write_csv(path, table)
        return
    content = BytesIO()
    table.write_parquet(content)
    write_output(path, content.getvalue())
