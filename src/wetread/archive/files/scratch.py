"""archive/files/scratch.py: a temporary folder, and what killed commands left of theirs.

What lies in one may name patients. It is held by its process (archive/files/lock.py), so the
next command
knows which ones nobody works in any more.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from wetread.archive.files.lock import is_locked, locked

PREFIX = "wetread-scratch-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder for this user alone until the end; remove those of killed commands first."""
    _clear_left()
    with TemporaryDirectory(prefix=PREFIX) as name, locked(Path(name)):
        Path(name).chmod(0o700)  # where another command took it for left, and it was made again
        yield Path(name)


def _clear_left() -> None:
    """Remove this user's scratch folders that no process holds."""
    if not hasattr(os, "getuid"):  # no POSIX: nothing is locked
        return
    with suppress(OSError), os.scandir(gettempdir()) as entries:
        for entry in entries:
            if not entry.name.startswith(PREFIX):
                continue
            with suppress(OSError):  # gone in the meantime
                about = entry.stat(follow_symlinks=False)
                own = stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid()
                if own and not is_locked(entry.path):
                    shutil.rmtree(entry.path, ignore_errors=True)
