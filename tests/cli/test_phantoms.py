"""tests/cli/test_phantoms.py: the commands that need no data of one's own: phantom, doctor."""

import json
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import pydicom

Wetread = Callable[..., subprocess.CompletedProcess[str]]
COLUMNS = 80


def narrow(text: str) -> bool:
    return all(len(line) <= COLUMNS for line in text.splitlines() if " /" not in line)


def test_phantom_writes_as_many_files_as_it_says(here: Wetread, tmp_path: Path) -> None:
    words = ("phantom", "hemorrhage", "-o", tmp_path, "--studies", 1, "--workers", 1, "--json")
    done = here(*words)
    assert (done.returncode, done.stderr) == (0, "")
    files = list((tmp_path / "stage_2_train").glob("*.dcm"))
    assert json.loads(done.stdout) == {"studies": 1, "images": len(files)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the identifiers are no legal UIDs, as in the real files
        assert pydicom.dcmread(files[0]).Modality == "CT"


def test_doctor_fits_the_terminal(here: Wetread) -> None:
    done = here("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert "FAILS" not in done.stdout
    assert done.stdout.count(" reads ") >= 10
    assert narrow(done.stdout)


def test_doctor_tells_memory_disk_and_extras(here: Wetread) -> None:
    told = here("doctor").stdout
    assert " GB free of " in told
    assert f"free in {Path.cwd()}" in told
    for extra in ("pictures", "pretrained", "cluster"):
        assert f"extra   {extra}: " in told
