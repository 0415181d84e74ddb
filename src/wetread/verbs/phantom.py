"""verbs/phantom.py: a task's name in, an archive of known truth out."""

from pathlib import Path

from wetread.archive.executor.workers import available_cores
from wetread.archive.files.lock import exclusive_output
from wetread.inputs.progress import Report, silent, stage
from wetread.tasks import find_task


@exclusive_output()
def phantom(
    task: str,
    out: Path,
    *,
    studies: int = 20,
    seed: int = 0,
    workers: int | None = None,
    report: Report = silent,
) -> dict[str, int]:
    """Write `studies` phantom studies as DICOM with their label file; counts of what was written.

    The archive depends on the seed and the number of studies alone, not on the workers.
    """
    find_task(task).write_phantoms(
        out, studies, seed, workers=workers or available_cores(), progress=stage(report, "phantoms")
    )
    return {"studies": studies, "images": sum(1 for _ in out.rglob("*.dcm"))}
