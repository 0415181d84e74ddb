"""verbs/index.py: files in, an Index on disk out: every file a row, or a reject."""

from pathlib import Path

from wetread.archive.executor.workers import select_workers
from wetread.archive.files.paths import as_paths
from wetread.archive.identity.user_key import UserKey
from wetread.archive.index.index import Index, build_index
from wetread.archive.pictures.kinds import require_modality
from wetread.archive.types import StrPath, StrPaths
from wetread.inputs.progress import Report, silent, stage
from wetread.outputs.data_frame import table_paths, write_data_frame


def index(
    source: StrPaths,
    out: StrPath,
    *,
    workers: int | None = None,
    cluster: str | None = None,
    report: Report = silent,
    repair: bool = True,
    table: str | None = None,
    key: UserKey | None = None,
    pictures: str | None = None,
) -> Index:
    """Index an archive into a table of DICOM objects and a table of rejects.

    source: folders, zips, tars or files, one or several.
    out: NAME.parquet; NAME.rejects.parquet and NAME.duplicates.parquet lie next to it. NAME.csv
        asks for a flat CSV as well, next to the index.
    table: "csv" or "parquet": write the flat table of outputs/data_frame.py as well.
    repair: confirm wrong intercepts on the pixels and note them as `wrong_intercept`, so that
        whatever reads the slice repairs its values.
    pictures: take files without a DICOM header as images of this modality: PNG and JPEG as
        films, as "DX"; NIfTI volumes as "CT", "MR". Their ids are their names, and each is a
        study of its own. None: they are refused.
    key: put pseudonyms under it in place of what identifies, so that the index may be shared.
    cluster: the address of a Dask scheduler whose workers have the same paths, for processes.
    workers: processes; None: all cores. report: called with (stage, done, total).

    A file that has not changed since the last call is not read again; a call that was stopped goes
    on. A file that cannot be read is a row of `rejects`, never an error. Raises FileNotFoundError
    for a source that does not exist, ValueError for another ending of `out` or a modality that
    is none.
    """
    sources = as_paths(source)
    for path in sources:
        if not path.exists():
            raise FileNotFoundError(
                f"{path} does not exist; give folders, zip files or DICOM files"
            )
    index_path, table_path = table_paths(Path(out), table)
    found = build_index(
        sources,
        index_path,
        workers=select_workers(workers, cluster),
        progress=stage(report, "index"),
        repair=repair,
        key=key,
        pictures=None if pictures is None else require_modality(pictures),
    )
    if table_path is not None:
        write_data_frame(found.instances, table_path)
    return found
