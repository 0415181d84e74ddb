"""outputs/objects/author.py: who made an object, as DICOM says it; and the UIDs of objects."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_OID, uuid5

from wetread.archive.version import VERSION

MANUFACTURER = "wetread"


@dataclass(frozen=True)
class Author:
    """The algorithm that made a reading.

    name: of the task. run: a digest of the networks, hexadecimal. parameters: in words, such as
    what it learned from and what must be known of it.
    """

    name: str
    run: str
    parameters: tuple[str, ...] = ()
    version: str = VERSION

    @property
    def model(self) -> str:
        """Name the algorithm as Manufacturer's Model Name (0008,1090)."""
        return f"wetread {self.name}"


def derive_uid(*parts: str) -> str:
    """Derive a UID from texts, the same from the same (PS3.5 B.2: 2.25 and a UUID)."""
    return f"2.25.{uuid5(NAMESPACE_OID, chr(10).join(('wetread', *parts))).int}"
