"""tests/docs/test_cluster_page.py: the batch script of the page on clusters runs as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl

from wetread.phantoms.dicom.archive import PhantomTruth

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "cluster.md"
SMALL = "--epochs 1 --set size=32 --set runtime.threads=1 --set runtime.device=cpu"


def test_the_batch_script_fits_the_folds_of_an_array_and_its_last_job_ends_the_run(
    phantoms: PhantomTruth, tmp_path: Path
) -> None:
    """Two folds in place of five, and the command in front of PATH with settings for a test."""
    (script,) = re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    assert script.startswith("#!/bin/bash\n#SBATCH")
    (tmp_path / "archive").symlink_to(phantoms.images.parent)
    (tmp_path / "train.sbatch").write_text(script.replace("--folds 5", "--folds 2"))
    command = tmp_path / "bin" / "wetread"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wetread "$@" {SMALL}\n')
    command.chmod(0o755)
    told = []
    for fold in ("1", "0"):
        path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "train.sbatch"],
            cwd=tmp_path,
            env=os.environ | {"PATH": path, "SLURM_ARRAY_TASK_ID": fold},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told.append(done.stdout)
    assert told[0].startswith("fold 1 is fitted; 1 fold still missing: 0: ")
    assert "page: " in told[1]
    table = pl.read_parquet(tmp_path / "run" / "predictions.parquet")
    assert set(table["model"]) == {0, 1}
