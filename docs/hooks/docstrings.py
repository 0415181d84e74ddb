"""docs/hooks/docstrings.py: blocks of `name: text` in docstrings become lists for the site."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

ENTRY = re.compile(r"^(?P<names>[a-z_]\w*(?:, [a-z_]\w*)*): +(?P<text>\S.*)$")
CONTINUED = re.compile(r"^ +\S")


class Entries(Extension):  # type: ignore[misc]
    """Rewrite every docstring as it is collected."""

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of one object."""
        if obj.docstring is not None:
            obj.docstring.value = with_lists(obj.docstring.value)


def with_lists(text: str) -> str:
    """Return a docstring as Markdown: `name: text` at the start of a line is an item of a list, and
    lines that are indented below it belong to it."""
    lines: list[str] = []
    in_list = False
    for line in text.splitlines():
        found = ENTRY.match(line)
        if found:
            if not in_list and lines and lines[-1]:
                lines.append("")
            names = ", ".join(f"`{name}`" for name in found["names"].split(", "))
            lines.append(f"- {names}: {_escaped(found['text'])}")
            in_list = True
        elif in_list and line.strip() and (CONTINUED.match(line) or lines[-1].startswith("- ")):
            lines.append(f"  {_escaped(line.strip())}")
        else:
            in_list = in_list and not line.strip()
            lines.append(_escaped(line))
    return "\n".join(lines)


def _escaped(line: str) -> str:
    """A line that is code stays; in text no sign of Markdown is meant but the backtick."""
    if line.startswith(("    ", ">>>")):
        return line
    return re.sub(r"(`[^`]*`)|([*_<>\[\]])", lambda m: m[1] or f"\\{m[2]}", line)
