"""cli/task_text.py: what was found of a task's file, as lines for an 80-column terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from wetread.archive.plural import plural

if TYPE_CHECKING:
    from wetread.tasks import Task
    from wetread.verbs.task.check import TaskCheck
    from wetread.verbs.task.new import NewTask


def new_lines(found: NewTask) -> list[str]:
    """Return what was drafted, and what to do next."""
    draft = found.draft
    lines = [
        f"{plural(found.rows, 'row')}, layout {draft.labels['layout']}: "
        f"{plural(len(draft.findings), 'finding')} of level {draft.level}",
        f"ids: column {draft.labels['id']!r} names {article(str(draft.labels['id_of']))}: "
        f"{draft.comments['id_of']}",
        f"modalities: {', '.join(draft.modalities)} ({draft.comments['modalities']})",
    ]
    lines += [f"exactly one of {', '.join(group)}" for group in draft.groups]
    return [*lines, f"task: {found.out}", "read it, correct it, then: wetread task check"]


def article(noun: str) -> str:
    """Put a or an before a noun."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def check_lines(found: TaskCheck) -> list[str]:
    """Return the counts of labels by finding, and how ids and archive meet."""
    lines = [f"{found.task}: recipe {found.recipe}"]
    if found.named is None:
        lines.append(
            f"{found.ids} ids in the label files; give --data to see which images they are"
        )
    else:
        lines.append(
            f"{found.named} of {found.ids} ids name something in the archive of "
            f"{plural(found.images or 0, 'image')} of {plural(found.studies or 0, 'study')}"
            + (f"; {found.repaired} of them after a repair" if found.repaired else "")
        )
        if found.ambiguous:
            lines.append(
                f"{plural(found.ambiguous, 'id')} of files whose name several files have; give "
                "more of their path"
            )
        if found.missed:
            lines.append(f"not in the archive: {', '.join(found.missed)}, ...")
    lines.append(
        f"{found.duplicates} duplicate labels, {found.conflicts} conflicting ones left unknown"
    )
    width = max(len(one) for one in ("finding", *(count.name for count in found.counts)))
    lines.append(f"{'finding':<{width}}  level    positive  negative   unknown")
    lines += [
        f"{one.name:<{width}}  {one.level:<7}  {one.positive:>8}  {one.negative:>8}  "
        f"{one.unknown:>8}" + ("  too few to learn" if min(one.positive, one.negative) < 2 else "")
        for one in found.counts
    ]
    if found.masks:
        lines.append(f"{plural(found.masks, 'image')} with a mask that is not empty")
    if found.absent:
        lines.append(f"in no label file: {', '.join(found.absent)}; is the label's name right?")
    if found.broken:
        lines.append(f"{plural(found.broken, 'id')} with not exactly one finding of a group")
    if not found.learnable:
        lines.append("nothing can be learned: of no finding two of either kind are known")
    return lines


def list_lines(tasks: Iterable[Task]) -> list[str]:
    """Return names, titles and findings."""
    lines = []
    for one in tasks:
        lines += [f"{one.name}: {one.title}", f"    {', '.join(f.name for f in one.findings)}"]
    return [*lines, "or a file of your own: wetread task new"]
