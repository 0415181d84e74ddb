"""verbs/phantom.py: a task's name in, an archive of known truth out."""

from dataclasses import dataclass
from pathlib import Path

from wetread.archive.executor.workers import available_cores
from wetread.archive.files.lock import exclusive_output
from wetread.archive.types import StrPath
from wetread.inputs.progress import Report, silent, stage
from wetread.tasks import find_task


@dataclass(frozen=True)
class PhantomArchive:
    """An archive of known truth: where it lies, and how many studies and images it holds."""

    out: Path
    studies: int
    images: int

    def to_dict(self) -> dict[str, int]:
        """Return the counts as plain values, for JSON."""
        return {"studies": self.studies, "images": self.images}


@exclusive_output()
def phantom(
    task: str,
    out: StrPath,
    *,
    studies: int = 20,
    seed: int = 0,
    workers: int | None = None,
    report: Report = silent,
) -> PhantomArchive:
    """Write an archive of known truth as DICOM, with its label file in the competition's form.

    task: a name of TASKS.
    out: the archive's folder.
    studies: how many. seed: of what is drawn; the archive depends on these two alone.
    workers: processes; None: all cores. report: called with (stage, done, total).

    Stopped and called again, it goes on. Raises UnknownTaskError.
    """
    out = Path(out)
    find_task(task).phantoms.write(
        out, studies, seed, workers=workers or available_cores(), progress=stage(report, "phantoms")
    )
    return PhantomArchive(out, studies, sum(1 for _ in out.rglob("*.dcm")))
