"""prediction/placement.py: whether a study is inside of that which was learned, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wetread.archive.types import JsonObject

if TYPE_CHECKING:  # its file knows torch
    from wetread.training.bounds import Reason


@dataclass(frozen=True)
class Placement:
    """inside: whether a study is inside of that which was learned; None where it is not known.
    reasons: why it is outside."""

    inside: bool | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def word(self) -> str:
        """In one word for a column."""
        return {True: "inside", False: "outside", None: "not known"}[self.inside]

    def to_dict(self) -> JsonObject:
        """Return plain values, for JSON."""
        reasons = [{"name": one.name, "detail": one.detail} for one in self.reasons]
        return {"inside": self.inside, "reasons": reasons}


NOT_KNOWN = Placement()
