"""tests/archive/files/test_scratch.py: nothing that may name a patient stays in the folder for
temporary
files."""

import subprocess
import sys
from pathlib import Path

import pytest

from wetread.archive.files.scratch import PREFIX, scratch_folder

WORK = (
    "import sys, tempfile, time; tempfile.tempdir = sys.argv[1]\n"
    "from wetread.archive.files.scratch import scratch_folder\n"
    "with scratch_folder() as folder:\n"
    "    (folder / 'index.parquet').write_text('MRN-1'); print(folder, flush=True); time.sleep(60)"
)


def test_what_a_killed_command_left_goes_with_the_next_and_what_is_in_use_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = tmp_path / "wetread-notes"
    mine.mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(mine)
    (mine / "mine.txt").write_text("mine")
    command = [sys.executable, "-c", WORK, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        theirs = Path(process.stdout.readline().strip())
        with scratch_folder() as folder:
            assert folder.stat().st_mode & 0o077 == 0
            assert (theirs / "index.parquet").exists()
        assert not folder.exists()
        process.kill()
    assert (theirs / "index.parquet").exists()
    with scratch_folder() as folder:
        assert not theirs.exists()
        assert folder.exists()
    assert (mine / "mine.txt").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {mine.name, f"{PREFIX}link"}
