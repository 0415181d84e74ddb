"""cli/errors.py: errors as one line in the words of the command line; others are shown whole."""

import errno
from typing import cast

import typer

from wetread.archive.errors import WetreadError
from wetread.archive.files.damaged import DamagedFileError
from wetread.cli.option_names import name_options
from wetread.cli.options import FAILED, WRONG_USE
from wetread.labels.table import LabelError
from wetread.outputs.optional import missing_learn

# What Typer raises for words it cannot take; newer releases carry the class where none may import.
WrongWords = cast(type[typer.BadParameter], typer.BadParameter.__base__)

OUR_FAILURES: tuple[type[Exception], ...] = (
    WetreadError,
    OSError,
    MemoryError,
)
OUR_WRONG_USE: tuple[type[Exception], ...] = (
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    FileExistsError,
    LabelError,
    ValueError,
)
# What to do, by what the system says.
_AGAIN = "make room, then give the same command again"
_ADVICE = {
    errno.ENOSPC: _AGAIN,
    errno.EDQUOT: _AGAIN,
    errno.EFBIG: "no file may be so large here (ulimit -f); raise the limit, then give the same "
    "command again",
    errno.EROFS: "nothing can be written there; give another place with -o",
    errno.EACCES: "change its permissions, or give another place",
    errno.EPERM: "change its permissions, or give another place",
    errno.ENOENT: "name one that exists",
    errno.EISDIR: "it is a folder, and a file is meant here",
    errno.ENOTDIR: "a part of this path is a file, and a folder is meant there",
    errno.EEXIST: "a file lies there, and a folder is meant",
    errno.ENAMETOOLONG: "no file system takes such a name; give a shorter one",
    errno.EMFILE: "raise the number of files that may be open (ulimit -n), or take fewer --workers",
    errno.EIO: "the disk or the network failed; look after it, then give the same command again",
}


def exit_code_and_message(error: Exception) -> tuple[int, str] | None:
    """Return the exit code and the one line of an error; None: a fault, which is shown whole."""
    if isinstance(error, WrongWords):
        command = error.ctx.command_path if error.ctx else "wetread"
        return WRONG_USE, f"{error.format_message().rstrip('.')}; ask {command} -h"
    if isinstance(error, OSError) and error.errno is not None:
        wrong = isinstance(error, OUR_WRONG_USE)
        return (WRONG_USE if wrong else FAILED), _of_the_system(error)
    if isinstance(error, MemoryError):
        return FAILED, "not enough memory; give it fewer --workers, or fewer files at a time"
    if isinstance(error, DamagedFileError):
        return FAILED, str(error)
    if isinstance(error, ImportError) and (missing := missing_learn(error)) is not None:
        return WRONG_USE, str(missing)
    if isinstance(error, OUR_WRONG_USE):
        return WRONG_USE, name_options(str(error))
    return (FAILED, name_options(str(error))) if isinstance(error, OUR_FAILURES) else None


def _of_the_system(error: OSError) -> str:
    """Return the path, what the system says of it, and what to do."""
    places = [str(place) for place in (error.filename, error.filename2) if place is not None]
    line = f"{' to '.join(places)}: {error.strerror}" if places else str(error.strerror)
    advice = _ADVICE.get(error.errno or 0)
    return line if advice is None else f"{line}; {advice}"
