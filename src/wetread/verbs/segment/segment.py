"""verbs/segment/segment.py: any files in, one organ of every CT volume out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wetread.archive.executor.isolated_process import Limits, LostItem
from wetread.archive.executor.workers import parallel_map, place_for, select_workers
from wetread.archive.files.lock import exclusive_output
from wetread.archive.files.paths import as_paths
from wetread.archive.index.index import Index
from wetread.archive.rejects import Reject
from wetread.archive.types import JsonObject, StrPath, StrPaths
from wetread.inputs.progress import Report, silent
from wetread.inputs.sources import indexed
from wetread.outputs.optional import import_optional
from wetread.outputs.rejects import write_rejects
from wetread.study.series import series_slices
from wetread.verbs.segment.earlier import remove_outdated, source_digests
from wetread.verbs.segment.organs import SegmentOptions, validate
from wetread.verbs.segment.series import SegmentJob, segment_series

SECONDS = 900.0  # that one series may take


@dataclass(frozen=True)
class SegmentResult:
    """The entries of the volumes (their segment.json), and what could not be segmented.

    refused: files that are DICOM, and series, of which nothing was made.
    """

    out: Path
    series: tuple[JsonObject, ...]
    rejects: tuple[Reject, ...]

    @property
    def refused(self) -> int:
        """Rejects, but for files that are no DICOM."""
        return sum(reject.reason != "not_dicom" for reject in self.rejects)

    def to_dict(self) -> JsonObject:
        """Return the entries and the rejects as plain values, for JSON."""
        return {
            "series": list(self.series),
            "rejects": [vars(reject) for reject in self.rejects],
        }


@exclusive_output()
def segment(
    organ: str,
    source: StrPaths,
    out: StrPath,
    *,
    method: str | None = None,
    closing_mm: float | None = None,
    threshold_hu: float | None = None,
    meshes: Sequence[str] = (),
    page: bool = False,
    gaps: str = "refuse",
    as_hu: bool = False,
    cluster: str | None = None,
    workers: int | None = None,
    report: Report = silent,
) -> SegmentResult:
    """Segment an organ in every volume of an archive, into out/STUDY/SERIES/ORGAN/.

    organ: airway, body, bone, brain or lungs.
    source: folders, zips, tars or files, one or several; or one index (.parquet).
    out: the folder of masks (NIfTI) and their segment.json.
    method: a method of the organ; None: its usual one.
    closing_mm, threshold_hu: settings, where the method has them.
    meshes: surfaces as "stl", "ply" or "obj".
    page: write a page to turn the surfaces on, too.
    gaps: what is done about gaps and uneven slices, a name of CHOICES in study/stack.py.
    as_hu: take CT whose header does not say HU as HU; else it is refused.
    cluster: the address of a Dask scheduler whose workers have the same paths: they segment in
        place of processes; files that have no index are indexed on this machine.
    workers: processes; None: all cores. report: called with (stage, done, total).

    A volume that is whole on disk, made of the same slices with the same settings, is not made
    again; files of volumes that are no longer in the sources are removed. A series without a
    volume is a row of rejects. Raises ValueError for what is not known, and MissingExtraError
    where the extra `pictures` is not installed.
    """
    options = SegmentOptions(
        organ, method or "", closing_mm, threshold_hu, tuple(sorted(set(meshes))), page, gaps
    )
    options = validate(options)
    for library in ("nibabel", "skimage", "trimesh"):
        import_optional(library)  # better now than after the first volume
    executor = select_workers(workers, cluster)
    sources, out = as_paths(source), place_for(Path(out), executor)
    with indexed(sources, select_workers(workers, None), report, as_hu=as_hu) as index:
        rejects = [Reject(**row) for row in _rejects(index).to_dicts()]
        items = [
            SegmentJob(rows, options, out, source_digests(rows, sources))
            for rows in series_slices(index.images)
        ]
    found: list[JsonObject] = []
    done = parallel_map(segment_series, items, executor, Limits(SECONDS), ahead=None)
    for number, (job, result) in enumerate(zip(items, done, strict=True), start=1):
        if isinstance(result, LostItem):
            rejects.append(job.reject(result.reason, result.detail))
        else:
            found += result.volumes
            rejects += result.rejects
        report(organ, number, len(items))
    made = {Path(entry["files"]["picture"]).parent for entry in found}
    remove_outdated(out, options.organ, made, sources)
    write_rejects(rejects, out / "rejects.csv")
    return SegmentResult(out, tuple(found), tuple(rejects))


def _rejects(index: Index) -> pl.DataFrame:
    return index.rejects.select("path", "member", "reason", "detail")
