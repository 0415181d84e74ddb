"""bench/survey.py: an index of ten million rows explored: its memory, and its time beside pandas.

python -m bench.survey [ROWS]        GiB at most, seconds, and those of pandas for the same counts
python -m bench.survey write FILE ROWS     the index alone
python -m bench.survey explore FILE        one process each, so that memory is its own
python -m bench.survey aggregates FILE     the counts of its tables alone
python -m bench.survey pandas FILE         the same by pandas (pip install pandas pyarrow)
python -m bench.survey profiling FILE      ydata-profiling (pip install it) on one row of a hundred
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wetread.archive.files.table_file import scan_parquet, sink_parquet, write_table
from wetread.archive.index.schema import INDEX_SCHEMA, REJECT_SCHEMA

ROWS = 10_000_000
BUDGET_GIB = 3.0
CHUNK = 500_000
SLICES, STUDY = 250, 2  # images a series, series a study
HEADERS = ("Modality", "BodyPartExamined", "ViewPosition", "PatientSex", "Manufacturer",
           "ManufacturerModelName", "ConvolutionKernel", "KVP",
           "PhotometricInterpretation")  # fmt: skip


def compare(rows: int = ROWS) -> list[dict[str, Any]]:
    """Memory against the budget, and time against pandas doing the same aggregates."""
    folder = Path(tempfile.mkdtemp(prefix="wetread-survey-"))
    try:
        file = folder / "index.parquet"
        _measured("write", str(file), str(rows))
        peak, seconds = _measured("explore", str(file))
        _, ours = _measured("aggregates", str(file))
        pandas_peak, theirs = _measured("pandas", str(file))
    finally:
        shutil.rmtree(folder)
    return [
        {"name": "explore_rows_gib", "ours": peak, "theirs": BUDGET_GIB,
         "unit": f"GiB resident, {rows:,} rows", "ratio": BUDGET_GIB / peak,
         "remark": "the other is the budget"},
        {"name": "explore_aggregates_vs_pandas", "ours": ours, "theirs": theirs,
         "unit": f"s, {rows:,} rows", "ratio": theirs / ours,
         "remark": f"pandas took {pandas_peak:.1f} GiB; the whole page {seconds:.0f} s"},
    ]  # fmt: skip


def _measured(*words: str) -> tuple[float, float]:
    """GiB at most and seconds of one step, in a process of its own."""
    printed = subprocess.run(
        [sys.executable, "-m", "bench.survey", *words], check=True, capture_output=True, text=True
    )
    peak, seconds = map(float, printed.stdout.split()[-2:])
    return peak, seconds


def write_index(out: Path, rows: int) -> None:
    """Write an index of series of 250 slices, with headers as archives have them."""
    parts = []
    for start in range(0, rows, CHUNK):
        part = out.with_name(f"part-{start}.parquet")
        write_table(_rows(start, min(CHUNK, rows - start)), part)
        parts.append(part)
    sink_parquet(scan_parquet(parts), out, 32 * 1024)
    for part in parts:
        part.unlink()
    empty = pl.DataFrame(schema=REJECT_SCHEMA)
    write_table(empty, out.with_name(f"{out.stem}.rejects.parquet"))
    write_table(pl.DataFrame(schema=INDEX_SCHEMA), out.with_name(f"{out.stem}.duplicates.parquet"))


def _rows(start: int, count: int) -> pl.DataFrame:
    rng = np.random.default_rng(start)
    number = np.arange(start, start + count)
    series = number // SLICES
    study = series // STUDY
    makers = np.array(["SIEMENS", "GE MEDICAL SYSTEMS", "Philips", "TOSHIBA"])
    kernels = np.array(["H30s", "B60f", "STANDARD", "BONE", "FC21"])

    def named(prefix: str, numbers: np.ndarray) -> pl.Series:
        """Identifiers of numbers."""
        return pl.Series(numbers).cast(pl.String).str.zfill(9).str.replace("^", prefix)

    frame = pl.DataFrame(
        {
            "path": named("/archive/", number), "size": 524_288 + number % 997,
            "mtime_ns": number, "state": ["image"] * count,
            "SOPInstanceUID": named("1.2.826.0.1.3680043.8.498.1", number),
            "SeriesInstanceUID": named("1.2.826.0.1.3680043.8.498.2", series),
            "StudyInstanceUID": named("1.2.826.0.1.3680043.8.498.3", study),
            "PatientID": named("P", study // 2),
            "SOPClassUID": ["1.2.840.10008.5.1.4.1.1.2"] * count,
            "PatientSex": np.array(["F", "M"])[study % 2], "age_years": (study % 90).astype(float),
            "Modality": ["CT"] * count, "BodyPartExamined": np.array(["HEAD", "CHEST"])[study % 2],
            "Manufacturer": makers[study % 4], "ManufacturerModelName": makers[study % 4],
            "ConvolutionKernel": kernels[series % 5], "KVP": np.array([100.0, 120.0])[series % 2],
            "Rows": np.full(count, 512), "Columns": np.full(count, 512),
            "BitsAllocated": np.full(count, 16), "BitsStored": np.array([12, 16])[series % 2],
            "PixelRepresentation": series % 2, "SamplesPerPixel": np.full(count, 1),
            "PhotometricInterpretation": ["MONOCHROME2"] * count,
            "TransferSyntaxUID": ["1.2.840.10008.1.2.1"] * count, "lossy": [False] * count,
            "row_spacing_mm": np.full(count, 0.5), "column_spacing_mm": np.full(count, 0.5),
            "SliceThickness": np.array([1.25, 5.0])[series % 2], "RescaleSlope": np.ones(count),
            "RescaleIntercept": np.full(count, -1024.0), "InstanceNumber": number % SLICES,
        },
        strict=False,
    )  # fmt: skip
    place = pl.Series((number % SLICES) * 1.25 + rng.normal(scale=1e-4, size=count))
    frame = frame.with_columns(
        position_mm=pl.concat_list(pl.lit(0.0), pl.lit(0.0), place),
        orientation=pl.lit([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
    )
    missing = [name for name in INDEX_SCHEMA if name not in frame.columns]
    filled = frame.with_columns(pl.lit(None, INDEX_SCHEMA[name]).alias(name) for name in missing)
    return filled.select(list(INDEX_SCHEMA)).cast(INDEX_SCHEMA)  # type: ignore[arg-type]


def explore_index(file: Path) -> None:
    """Explore an index whose files are not there: a page of its headers."""
    import wetread

    wetread.explore(file, out=file.with_suffix(".html"), workers=1)


def aggregates(file: Path) -> None:
    """The counts of the page's tables, without samples of series, pixels and pictures."""
    import wetread
    from wetread import survey

    table = wetread.read_index(file).table
    survey.count_objects(table)
    survey.count_headers(table)
    survey.pixel_forms(table)
    survey.transfer_syntaxes(table)
    survey.describe_numbers(table)
    survey.missing_headers(table)
    survey.describe_series(survey.series_table(table))
    survey.studies_of_two_patients(table)


def profiling(file: Path) -> None:
    """Profile one row of a hundred by ydata-profiling, as a notebook does."""
    from ydata_profiling import ProfileReport  # type: ignore[import-not-found]

    rows = scan_parquet(file).gather_every(100)
    flat = rows.select(name for name, kind in INDEX_SCHEMA.items() if not kind.is_nested())
    report = ProfileReport(flat.collect().to_pandas(), minimal=True, progress_bar=False)
    report.to_file(file.with_suffix(".profile.html"))


def pandas_aggregates(file: Path) -> None:
    """The counts of the page's tables as a notebook makes them: read the columns, group, count."""
    import pandas as pd  # type: ignore[import-untyped]

    columns = [*HEADERS, "SeriesInstanceUID", "StudyInstanceUID", "PatientID", "size", "age_years",
               "Rows", "Columns", "row_spacing_mm", "column_spacing_mm", "SliceThickness",
               "BitsAllocated", "BitsStored", "PixelRepresentation", "RescaleSlope",
               "RescaleIntercept", "PixelPaddingValue", "TransferSyntaxUID", "lossy"]  # fmt: skip
    table = pl.read_parquet(file, columns=columns).to_pandas()
    uids = ["SeriesInstanceUID", "StudyInstanceUID", "PatientID"]
    table[uids].nunique()
    for name in HEADERS:
        table.groupby(name, dropna=False)[uids].nunique()
        table[name].value_counts(dropna=False)
    form = ["Modality", "Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation",
            "PhotometricInterpretation", "RescaleSlope", "RescaleIntercept"]  # fmt: skip
    table.groupby(form, dropna=False)["SeriesInstanceUID"].nunique()
    table.groupby(["TransferSyntaxUID", "lossy"], dropna=False).size()
    numbers = ["size", "age_years", "Rows", "Columns", "row_spacing_mm", "SliceThickness"]
    table[numbers].quantile([0, 0.05, 0.5, 0.95, 1])
    table.isna().sum()
    table.groupby("SeriesInstanceUID")["SliceThickness"].agg(["size", "median"])
    table.groupby("StudyInstanceUID")["PatientID"].nunique()
    pd.DataFrame(table.groupby("PatientID")["StudyInstanceUID"].nunique()).value_counts()


if __name__ == "__main__":
    began = time.perf_counter()
    match sys.argv[1:]:
        case ["write", file, rows]:
            write_index(Path(file), int(rows))
        case ["explore", file]:
            explore_index(Path(file))
        case ["aggregates", file]:
            aggregates(Path(file))
        case ["profiling", file]:
            profiling(Path(file))
        case ["pandas", file]:
            pandas_aggregates(Path(file))
        case words:
            for row in compare(int(words[0]) if words else ROWS):
                print(row)
            sys.exit()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # Linux counts KiB
    print(peak, time.perf_counter() - began)
