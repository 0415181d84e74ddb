"""verbs/task/draft_text.py: the draft of a task as TOML, what was guessed and why beside it."""

from __future__ import annotations

import json

from wetread.verbs.task.draft import Draft


def draft_text(draft: Draft, title: str) -> str:
    """Write a draft as TOML, with what was guessed, and why, as comments."""
    modalities = f"modalities = {_toml(list(draft.modalities))}  # {draft.comments['modalities']}"
    lines = [f"title = {_toml(title)}", modalities]
    if draft.crop != "picture":
        lines.append(f"crop = {_toml(draft.crop)}  # {draft.comments['crop']}")
    lines += ["", "[[labels]]"]
    for key, value in draft.labels.items():
        comment = f"  # {draft.comments[key]}" if key in draft.comments else ""
        lines.append(f"{key} = {_toml(value)}{comment}")
    lines += [f"# {note}" for note in draft.notes]
    for one in draft.findings:
        lines += ["", "[[findings]]", f"name = {_toml(one.name)}"]
        if one.label != (one.name,) or one.any_of:
            lines.append(f"label = {_toml(one.label[0] if len(one.label) == 1 else one.label)}")
        if draft.level == "study" and draft.labels["id_of"] in ("image", "file"):
            lines.append('level = "study"  # most files hold a whole volume')
        if one.mirror:
            lines.append(f"mirror = {_toml(one.mirror)}")
        if one.any_of:
            lines.append(f"any_of = {_toml(list(one.any_of))}  # in every row of the file")
        only = {0.0: ": nothing is positive", 1.0: ": nothing is negative"}.get(one.positive, "")
        lines.append(f"# {one.positive:.2%} positive of {one.known} known labels{only}")
    for group in draft.groups:
        lines += ["", "[[groups]]  # exactly one of these in every row of the file"]
        lines.append(f"exactly_one = {_toml(list(group))}")
    if draft.windows:
        of_studies = "series-heads" if draft.crop == "head" else "series-compact"
        recipe = "compact" if draft.level == "image" else of_studies
        lines += ["", "[recipe]", f"name = {_toml(recipe)}"]
        why = draft.comments["crop"] or "no part of the body is known"
        lines.append(f"windows = {_toml(list(draft.windows))}  # {why}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """Write text, a number or a list as TOML, which writes these as JSON does."""
    return json.dumps(value, ensure_ascii=False)
