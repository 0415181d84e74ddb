"""tests/package/package.py: wheel and sdist are built, and each is tried in an empty environment.

    python tests/package/package.py --folder .package [--extra learn]

Prints for each what was installed (MB), in how many seconds, and that it indexes, shows, exports
and scrolls; ends with 1 where one does not, or where torch came without being asked for.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (
    ("--version",),
    ("phantom", "hemorrhage", "-o", "archive", "--studies", "1"),
    ("index", "archive", "-o", "index.parquet"),
    ("show", "archive"),
    ("export", "png", "index.parquet", "-o", "pictures"),
    ("scroll", "index.parquet", "-o", "scroll.html"),
    ("doctor",),
)


def build(folder: Path) -> list[Path]:
    """The wheel and the sdist of this checkout."""
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return sorted(folder.glob("wetread-*"))


def try_package(package: Path, extra: str, folder: Path) -> bool:
    """Install one into an environment of its own, run the commands; print what happened."""
    environment = folder / "environment"
    venv.create(environment, with_pip=True, clear=True)
    programs = environment / "bin"
    pinned = ["-c", str(ROOT / "constraints.txt")]
    before, began = size_mb(environment), time.monotonic()
    wanted = f"{package}[{extra}]" if extra else str(package)
    subprocess.run([programs / "pip", "install", "--quiet", *pinned, wanted], check=True)
    seconds, grown = time.monotonic() - began, size_mb(environment) - before
    place = folder / "work"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    failed = []
    for words in COMMANDS:
        done = subprocess.run([programs / "wetread", *words], cwd=place, capture_output=True)
        if done.returncode != 0:
            failed.append(f"wetread {' '.join(words)}: {done.stderr.decode().strip()}")
    torch = subprocess.run([programs / "python", "-c", "import torch"], capture_output=True)
    if (torch.returncode == 0) is not ("learn" in extra):
        failed.append("torch is there" if torch.returncode == 0 else "torch is not there")
    print(f"{wanted.rpartition('/')[2]}: {grown:.0f} MB in {seconds:.0f} s", *failed, sep="\n  ")
    return not failed


def size_mb(folder: Path) -> float:
    """The size of a folder's files, MB."""
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6


def main() -> int:
    """Build, try each; 0 where all did what they should."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--folder", type=Path, required=True)
    words.add_argument("--extra", default="")
    given = words.parse_args()
    shutil.rmtree(given.folder, ignore_errors=True)
    packages = build(given.folder / "dist")
    assert len(packages) == 2, packages
    tried = [try_package(package, given.extra, given.folder) for package in packages]
    return 0 if all(tried) else 1


if __name__ == "__main__":
    sys.exit(main())
