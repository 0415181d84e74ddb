"""archive/dataset/element_cache.py: stretches of headers walked before, matched in one step.

The elements' heads (tag, VR, length) alone decide how a walk goes on. Where all heads of a stretch
stand at their places again, the walk would find what it found before: their values are taken out
and the stretch is passed. Files of one series differ in a few lengths only.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import takewhile

MAX_RUNS = 4096  # then all are forgotten: an archive of many forms
ElementSpan = tuple[int, int, int]  # tag, bytes of the head, bytes of the value


@dataclass(frozen=True, slots=True, eq=False)
class ElementRun:
    """A stretch of elements in ascending order, each of defined length.

    heads, values: struct.Struct.unpack_from of all heads, and of the wanted values (`tags`).
    """

    spans: tuple[ElementSpan, ...]
    first: int
    last: int
    size: int
    expected: tuple[bytes, ...]
    tags: tuple[int, ...]
    heads: struct.Struct
    values: struct.Struct


@dataclass(slots=True, eq=False)
class ElementCache:
    """The runs of one encoding, by the first eight bytes of their first head."""

    wanted: frozenset[int]
    known: dict[bytes, ElementRun] = field(default_factory=dict)

    def match(
        self, buffer: bytes, pos: int, key: bytes, last: int, values: dict[int, bytes]
    ) -> ElementRun | None:
        """Match a known run at byte pos and put its wanted values into values; None: there is none.

        key: the eight bytes at pos; last: the tag before them.
        """
        run = self.known.get(key)
        if run is None or pos + run.size + 12 > len(buffer) or run.first <= last:
            return None
        heads = run.heads.unpack_from(buffer, pos)
        if heads != run.expected:
            pairs = zip(heads, run.expected, strict=True)
            alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
            if not alike:
                return None
            run = self.known[key] = self._run(buffer, pos, run.spans[:alike])
        if run.tags:
            values.update(zip(run.tags, run.values.unpack_from(buffer, pos), strict=True))
        return run

    def remember(self, buffer: bytes, pos: int, spans: Sequence[ElementSpan]) -> None:
        """Make a run of the elements that were walked from byte pos on."""
        if len(self.known) >= MAX_RUNS:
            self.known.clear()
        for number, (_, head, length) in enumerate(spans):
            key = buffer[pos : pos + 8]
            if key not in self.known:
                self.known[key] = self._run(buffer, pos, tuple(spans[number:]))
                return
            pos += head + length

    def _run(self, buffer: bytes, pos: int, spans: tuple[ElementSpan, ...]) -> ElementRun:
        heads = struct.Struct("".join(f"{head}s{length}x" for _, head, length in spans))
        forms, tags, gap = [], [], 0
        for tag, head, length in spans:
            if tag in self.wanted:
                forms.append(f"{gap + head}x{length}s")
                tags.append(tag)
                gap = 0
            else:
                gap += head + length
        return ElementRun(
            spans=spans,
            first=spans[0][0],
            last=spans[-1][0],
            size=heads.size,
            expected=heads.unpack_from(buffer, pos),
            tags=tuple(tags),
            heads=heads,
            values=struct.Struct("".join(forms)),
        )


@lru_cache(maxsize=16)
def cache_for(encoding: str, wanted: frozenset[int]) -> ElementCache:
    """Return the cache of an encoding, by its name, and of the wanted tags."""
    return ElementCache(wanted)
