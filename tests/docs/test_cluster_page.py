"""tests/docs/test_cluster_page.py: the batch script of the page on clusters runs as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from wetread.phantoms.dicom.archive import PhantomTruth

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "cluster.md"
SMALL = "--epochs 1 --set size=32 --set runtime.threads=1 --set runtime.device=cpu"


@pytest.mark.timeout(600)
def test_a_job_of_the_batch_script_fits_its_fold(phantoms: PhantomTruth, tmp_path: Path) -> None:
    """Two folds in place of five, and the command in front of PATH with settings for a test."""
    (script,) = re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    assert script.startswith("#!/bin/bash\n#SBATCH")
    (tmp_path / "archive").symlink_to(phantoms.images.parent)
    (tmp_path / "train.sbatch").write_text(script.replace("--folds 5", "--folds 2"))
    command = tmp_path / "bin" / "wetread"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wetread "$@" {SMALL}\n')
    command.chmod(0o755)
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "train.sbatch"],
        cwd=tmp_path,
        env=os.environ | {"PATH": path, "SLURM_ARRAY_TASK_ID": "1"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("fold 1 is fitted; 1 fold still missing: 0: ")
    assert (tmp_path / "run" / "model-1" / "best.pt").is_file()
    assert not (tmp_path / "run" / "model-0").exists()
