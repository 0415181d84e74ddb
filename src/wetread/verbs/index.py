"""verbs/index.py: files in, an Index on disk out: what is there, what is broken."""

from collections.abc import Sequence
from pathlib import Path

from wetread.archive.index import Index, build_index
from wetread.verbs.progress import Report, all_cores, silent, stage


def index(
    sources: Sequence[Path],
    out: Path,
    *,
    workers: int | None = None,
    report: Report = silent,
    repair: bool = True,
) -> Index:
    """Index folders, zip files and single files into `out` (NAME.parquet, NAME.rejects.parquet).

    A file that has not changed since the last run is not read again; a run that was stopped goes
    on. Errors: FileNotFoundError for a source that does not exist; a file that cannot be read is
    a row of `rejects`, never an error. `repair` confirms wrong intercepts on the pixels and notes
    them as `wrong_intercept`, so that whatever reads the slice repairs its values.
    """
    for source in sources:
        if not source.exists():
            raise FileNotFoundError(
                f"{source} does not exist; give folders, zip files or DICOM files"
            )
    return build_index(
        sources,
        out,
        workers=workers or all_cores(),
        progress=stage(report, "index"),
        repair=repair,
    )
