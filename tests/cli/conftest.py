"""tests/cli/conftest.py: the command line as a process, and a small archive to give it."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wetread.cli.main import main
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.phantoms.head.archive import write_head_archive

Wetread = Callable[..., subprocess.CompletedProcess[str]]
LIMIT_S = 120  # a command that hangs fails its test


@pytest.fixture(scope="session")
def wetread() -> Wetread:
    """wetread("index", path, ...) -> the ended process: returncode, stdout, stderr."""

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "wetread", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)

    return run


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Wetread:
    """Run the command in this process, where torch need not be loaded anew."""

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = ["wetread", *map(str, words)]
        monkeypatch.setattr(sys, "argv", command)
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        told = capfd.readouterr()
        code = ended.value.code or 0
        assert isinstance(code, int)
        return subprocess.CompletedProcess(command, code, told.out, told.err)

    return run


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> PhantomTruth:
    """6 studies at 64 pixels."""
    out = tmp_path_factory.mktemp("phantoms")
    return write_head_archive(out, 6, 5, size=64, progress=lambda done, total: None)


@pytest.fixture
def archive(phantoms: PhantomTruth, tmp_path: Path) -> Path:
    """A folder of the test's own with the first ten files."""
    folder = tmp_path / "archive"
    folder.mkdir()
    for path in sorted(phantoms.images.iterdir())[:10]:
        shutil.copy(path, folder)
    return folder
