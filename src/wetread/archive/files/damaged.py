"""archive/files/damaged.py: a damaged file of wetread's own, named in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike

from wetread.archive.errors import WetreadError

_FAULTS = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


class DamagedFileError(WetreadError, ValueError):
    """A file that wetread wrote, or that lies in its place, is cut, emptied, foreign or replaced.

    path:     where it lies.
    expected: what it should be and who writes it.
    found:    what is there instead.
    """

    def __init__(self, path: str | PathLike[str], expected: str, found: str) -> None:
        super().__init__(path, expected, found)
        self.path, self.expected, self.found = path, expected, found

    def __str__(self) -> str:
        return f"{self.path}: {self.found}; it should be {self.expected}"


@contextmanager
def expect_form(path: str | PathLike[str], expected: str, *more: type[Exception]) -> Iterator[None]:
    """Turn errors of keys, types and values, met while a file's content is parsed, into a
    DamagedFileError.

    more: further kinds of errors to turn.
    """
    faults: tuple[type[Exception], ...] = (*_FAULTS, *more)
    try:
        yield
    except DamagedFileError:
        raise
    except faults as error:
        lines = str(error).strip().splitlines()
        first = f" {lines[0][:160]}" if lines else ""
        raise DamagedFileError(
            path, expected, f"of another form ({type(error).__name__}:{first})"
        ) from error
