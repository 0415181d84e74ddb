"""archive/damaged.py: a file of wetread's own that is not what it should be, said in one line."""

from os import PathLike


class DamagedFileError(ValueError):
    """A file that wetread wrote, or that lies in its place, is cut, emptied, foreign or replaced.

    path:   where it lies.
    wanted: what it should be and who writes it.
    found:  what is there instead.
    """

    def __init__(self, path: str | PathLike[str], wanted: str, found: str) -> None:
        super().__init__(path, wanted, found)
        self.path, self.wanted, self.found = path, wanted, found

    def __str__(self) -> str:
        return f"{self.path}: {self.found}; it should be {self.wanted}"
