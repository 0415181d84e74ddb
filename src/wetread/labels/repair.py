"""labels/repair.py: ids that label files have with a blank, a path or an ending, where it is sure.

An id is taken as it is written. Where no image has it, and without blanks, folders and the ending
of a picture's name it is exactly one that exists, it is that one; each is counted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import polars as pl

from wetread.labels.table import LabelTable, label_table, merge_masks, unique_images

_BLANKS = " \t\r\n\0\u00a0\u200b\ufeff\"'"
_ENDING = re.compile(
    r"\.(dcm|dicom|dic|ima|png|jpe?g|tiff?|bmp|npy|npz|nii|gz|webp)$", re.IGNORECASE
)


_WHOLE_AS_FLOAT = re.compile(r"[0-9]+\.0")  # a whole number that went through a table of floats


def bare_id(written: str) -> str:
    """Strip an id of blanks and quotes around it, the folders before it and endings behind it, as
    the .0 of a whole number."""
    bare = re.split(r"[\\/]", written.strip(_BLANKS))[-1].strip(_BLANKS)
    while _ENDING.search(bare):
        bare = _ENDING.sub("", bare).strip(_BLANKS)
    return bare.removesuffix(".0") if _WHOLE_AS_FLOAT.fullmatch(bare) else bare


def bare_path(written: str) -> str:
    """Strip an id of blanks and quotes around it and endings behind it; folders stay."""
    folders, slash, _ = written.strip(_BLANKS).replace("\\", "/").rpartition("/")
    return f"{folders}{slash}{bare_id(written)}"


def repairs(written: Iterable[str], existing: Collection[str]) -> dict[str, str]:
    """Map each written id that does not exist to the existing one that it surely is: the same but
    for blanks, quotes and an ending; but for folders before it; or, of two paths, the only one that
    ends as the other."""
    known = existing if isinstance(existing, set | frozenset) else set(existing)
    found: dict[str, str] = {}
    paths: dict[str, set[str]] | None = None  # made for the first id that needs it
    for id_ in dict.fromkeys(written):
        if id_ in known:
            continue
        if (bare := bare_id(id_)) in known:
            found[id_] = bare
            continue
        paths = _by_name(known) if paths is None else paths
        path = f"/{bare_path(id_)}"
        same = {
            one
            for one in paths.get(bare, ())
            if path.endswith(other := f"/{bare_path(one)}") or other.endswith(path)
        }
        if len(same) == 1:
            found[id_] = same.pop()
    return found


def _by_name(known: Collection[str]) -> dict[str, set[str]]:
    """Group ids that are paths, or have an ending, by their last part without it."""
    paths: dict[str, set[str]] = {}
    for id_ in known:
        if "/" in id_ or _ENDING.search(id_):
            paths.setdefault(bare_id(id_), set()).add(id_)
    return paths


def ids_by_level(rows: pl.DataFrame) -> dict[str, set[str]]:
    """Return the ids of images and of their studies, rows of an index or a store, by level."""
    columns = {"image": "SOPInstanceUID", "study": "StudyInstanceUID"}
    return {level: set(rows[column].drop_nulls()) for level, column in columns.items()}


def repair_labels(
    table: LabelTable, existing: Mapping[str, Collection[str]]
) -> tuple[LabelTable, int]:
    """Return the table with existing ids, and how many were repaired.

    existing: level to its ids. A repaired id that has a label already is a duplicate or a conflict,
    as a row that stands twice is.
    """
    levels = {level: set(ids) for level, ids in existing.items()}
    changed: dict[str, dict[str, str]] = {}
    for level, ids in levels.items():
        rows = pl.concat([table.frame, table.conflicts], how="diagonal")
        written = rows.filter(pl.col("level") == level)["id"].unique(maintain_order=True)
        changed[level] = repairs(written.to_list(), ids)
    count = sum(map(len, changed.values()))
    if not count:
        return table, 0
    frame, conflicts = (_renamed(part, changed) for part in (table.frame, table.conflicts))
    united = label_table(frame)
    disputed = conflicts.select("level", "id", "finding").with_columns(disputed=pl.lit(True))
    value = pl.when("disputed").then(None).otherwise("value").alias("value")
    key = ["level", "id", "finding"]
    resolved = united.frame.join(disputed, on=key, how="left", maintain_order="left")
    image, study = changed.get("image", {}), changed.get("study", {})
    return replace(
        table,
        frame=resolved.select(*key, value),
        conflicts=pl.concat([conflicts, united.conflicts]).unique(key, maintain_order=True),
        duplicates=table.duplicates + united.duplicates,
        masks=merge_masks([table.masks.with_columns(pl.col("id").replace(image))]),
        exams=unique_images(
            table.exams.with_columns(pl.col("image").replace(image), pl.col("study").replace(study))
        ),
    ), count


def _renamed(rows: pl.DataFrame, changed: Mapping[str, Mapping[str, str]]) -> pl.DataFrame:
    for level, ids in changed.items():
        if ids:
            of_level = pl.col("level") == level
            rows = rows.with_columns(
                id=pl.when(of_level).then(pl.col("id").replace(dict(ids))).otherwise("id")
            )
    return rows


def repair_keys(written: Mapping[str, str], existing: Iterable[str]) -> tuple[dict[str, str], int]:
    """Return a mapping (images to patients) by existing ids, and how many were repaired.

    An id that two keys would be, with unequal values, is left as it is written.
    """
    changed = repairs(written, set(existing))
    values: dict[str, set[str]] = {}
    for key, bare in changed.items():
        values.setdefault(bare, {written[bare]} if bare in written else set()).add(written[key])
    sure = {key: bare for key, bare in changed.items() if len(values[bare]) == 1}
    return {sure.get(key, key): value for key, value in written.items()}, len(sure)
