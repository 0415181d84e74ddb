"""verbs/task/draft.py: the profile of a label file, beside an archive, becomes a draft."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from wetread.archive.plural import plural
from wetread.inputs.body_part import part_of
from wetread.inputs.body_part_by_pixels import find_body_part
from wetread.labels.cell_values import CellValues, read_cells
from wetread.labels.csv_file import LINE
from wetread.labels.label_form import NO_MARK, split_names
from wetread.labels.table import LabelError
from wetread.verbs.task.profile import (
    Column,
    IdMatch,
    Profile,
    class_column,
    id_matches,
    joined_names,
    long_endings,
    marks_of,
    no_finding_words,
)
from wetread.verbs.task.relations import DraftFinding, exclusive_groups, with_twins, with_union

READER = re.compile(r"^(?P<reader>[A-Za-z]*[0-9]+)[:_ .-]+(?P<finding>.+)$")
READER_NAMES = re.compile(r"^(rad|reader|annotator|radiologist|rater)([ _]?id)?$", re.I)
NOT_LABELS = re.compile(r"^(age|sex|gender|fold|split|set|.*[ _]id|follow.?up.*|unnamed.*)$", re.I)
WINDOWS = {  # of CT, by the part that is shown
    "HEAD": ("brain", "subdural", "bone"),
    "CHEST": ("lung", "mediastinum", "chest_bone"),
    "SPINE": ("spine_soft", "spine_bone", "bone"),
    "ABDOMEN": ("abdomen", "liver", "bone"),
    "": ("mediastinum", "lung", "bone"),
}
CROPS = {"HEAD": "head"}
FILMS = ("CR", "DR", "DX", "RG")


@dataclass(frozen=True, eq=False)
class Draft:
    """A task as it is drafted.

    labels:   keys of [[labels]] to their values, and a comment behind some of them.
    groups:   findings of which exactly one holds in every row.
    """

    findings: tuple[DraftFinding, ...]
    labels: dict[str, object]
    comments: dict[str, str]
    level: str
    modalities: tuple[str, ...]
    crop: str
    windows: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)


def draft_task(profile: Profile, images: pl.DataFrame | None) -> Draft:
    """Draft a task of a label file, and of the images of an index where there is one. LabelError
    where no column looks like labels or like ids."""
    labels, comments, found, match = _layout(profile, images)
    modalities, why = _modalities(images, profile)
    part, seen = _part(images, modalities)
    if images is None and profile.box and match.id_of == "patient":
        match = replace(match, id_of="file")  # boxes lie in pictures
    by_image = match.id_of in ("image", "file") and not _are_volumes(images)
    repeated = profile.frame[match.column].drop_nulls().is_duplicated().any()
    labels |= {"id": match.column, "id_of": match.id_of}
    comments |= {"id_of": _met(match, images), "modalities": why, "crop": seen}
    notes = []
    if repeated and labels["layout"] in ("columns", "names"):
        notes.append(
            f"several rows have the same {match.column!r}: equal labels are one, unequal ones "
            "unknown; else choose several"
        )
    if by_image and (where := _marked_where(profile)) is not None:
        notes.append(f'to learn where it is: {where} here, level = "pixel" at the finding')
    return Draft(
        findings=with_twins(found),
        labels=labels,
        comments=comments,
        level="image" if by_image else "study",
        modalities=modalities,
        crop=CROPS.get(part, "picture"),
        windows=WINDOWS[part] if modalities == ("CT",) and images is not None else (),
        groups=exclusive_groups(profile, found) if labels["layout"] == "columns" else (),
        notes=tuple(notes),
    )


def _are_volumes(images: pl.DataFrame | None) -> bool:
    """Whether most files of an archive hold several frames: a file is a study then."""
    if images is None or not images.height:
        return False
    return images.filter(pl.col("NumberOfFrames") > 1).height > images.height / 2


def _marked_where(profile: Profile) -> str | None:
    """Write the key for the columns that say where a finding is; None where there are none."""
    marks = marks_of(profile)
    if marks is None:
        return None
    value, columns = marks
    if len(columns) == 1:
        return f'runs = "{value}", runs_form = "relative" or as the file counts'
    corners = any("max" in name.lower() for name in columns)
    return f"{'corners' if corners else 'boxes'} = {json.dumps(list(columns))}"


def _met(match: IdMatch, images: pl.DataFrame | None) -> str:
    if images is None:
        return "guessed by the column's name: no images were given"
    missed = ""
    if match.missed:  # a patient's id is shown nowhere
        named = "the others" if match.id_of == "patient" else ", ".join(match.missed)
        missed = f"; not there: {named}"
    repaired = f", {match.repaired} of them after a repair" if match.repaired else ""
    return (
        f"{match.met} of {match.ids} ids name {plural(match.images, 'image')} of "
        f"{images.height}{repaired}{missed}"
    )


def _layout(
    profile: Profile, images: pl.DataFrame | None
) -> tuple[dict[str, object], dict[str, str], list[DraftFinding], IdMatch]:
    """Find where a file has its labels: the keys of its layout, comments, findings and ids."""
    for column in profile.columns:
        endings = long_endings(column, profile.frame)
        values = [one.name for one in profile.columns if one.is_label]
        if endings is not None and len(profile.columns) <= 3 and len(values) == 1:
            separator, words = endings
            matches = id_matches(profile, images, f"{separator}[^{separator}]+$")
            found = [
                _counted(word, (word,), _long_rows(profile, column.name, word), values[0])
                for word in words
            ]
            own = next(one for one in matches if one.column == column.name)
            return {"layout": "long", "value": values[0]}, {}, found, own
    matches = id_matches(profile, images)
    joined = [(one.name, joined_names(one)) for one in profile.columns]
    names = [(name, how) for name, how in joined if how is not None]
    ids = [match for match in matches if not names or match.column != names[0][0]]
    if not ids:
        raise LabelError(f"{profile.path}: no column looks like ids; name one SOPInstanceUID")
    label_columns = [
        one.name
        for one in profile.columns
        if one.is_label and one.name != ids[0].column and one.name not in profile.box
        and not NOT_LABELS.match(one.name.strip())
    ]  # fmt: skip
    if names and len(label_columns) < 2:
        named, (separator, words) = names[0]
        none = no_finding_words(words)
        found = [_named(profile, named, separator, word) for word in words if word not in none]
        keys: dict[str, object] = {"layout": "names", "finding": named, "separator": separator}
        return keys | ({"none": list(none)} if none else {}), {}, found, ids[0]
    classes = class_column(profile, ids[0].column)
    if classes is not None and len(label_columns) < 2:
        return *_rows(profile, ids[0].column, classes), ids[0]
    marks = marks_of(profile)
    if not label_columns and marks is not None:
        ids = [match for match in ids if match.column not in marks[1]]
        keys = {"layout": "marks", "value": marks[0]}
        comments = {"value": "present where it is filled and not -1"}
        if profile.column(marks[0]).blank:
            keys["blank"], comments["blank"] = 0, "an empty cell: absent"
        return keys, comments, [_marked(profile, marks[0])], ids[0]
    if not label_columns:
        raise LabelError(
            f"{profile.path}: no column looks like labels (0 and 1, yes and no, shares, names "
            f"joined by a bar); its columns are {', '.join(repr(c.name) for c in profile.columns)}"
        )
    keys, comments = {"layout": "columns"}, dict[str, str]()
    if any(profile.column(name).is_uncertain for name in label_columns):
        keys["uncertain"] = "unknown"
        comments["uncertain"] = "-1 and its like; or a number from 0 to 1"
    if any(profile.column(name).blank for name in label_columns):
        keys["blank"] = "unknown"
        comments["blank"] = "or 0, where an empty cell means that it was not mentioned"
    return *_columns(profile, label_columns, keys, comments), ids[0]


def _columns(
    profile: Profile, columns: Sequence[str], keys: dict[str, object], comments: dict[str, str]
) -> tuple[dict[str, object], dict[str, str], list[DraftFinding]]:
    """Draft findings of a column each, or of a column for each reader."""
    by_finding: dict[str, list[str]] = defaultdict(list)
    for name in columns:
        match = READER.match(name)
        by_finding[match["finding"] if match else name].append(name)
    readers = max(map(len, by_finding.values()))
    if readers < 2 or any(len(names) != readers for names in by_finding.values()):
        by_finding = {name: [name] for name in columns}
    else:
        keys |= {"several": "majority"}
        comments["several"] = f"{readers} readers; or mean, any, equal"
    found = [
        _counted(word, tuple(names), profile.frame, *names) for word, names in by_finding.items()
    ]
    return keys, comments, with_union(profile, found)


def _counted(word: str, label: tuple[str, ...], frame: pl.DataFrame, *columns: str) -> DraftFinding:
    """Draft a finding with the share of positives and the number of known labels."""
    cells = CellValues(refuse_uncertain=False)
    rows = frame.with_row_index(LINE, offset=2)
    values = pl.concat([read_cells(Path("labels"), rows, name, cells) for name in columns])
    known = values.drop_nulls().to_numpy()
    return DraftFinding(slug(word), label, float(known.sum()) / max(len(known), 1), len(known))


def _named(profile: Profile, column: str, separator: str, word: str) -> DraftFinding:
    cells = profile.frame[column].drop_nulls()
    names = cells.to_frame().select(split_names(pl.col(column), separator))[column]
    positive = int(names.list.contains(word).sum())
    return DraftFinding(slug(word), (word,), positive / max(cells.len(), 1), cells.len())


def _rows(
    profile: Profile, ids: str, classes: Column
) -> tuple[dict[str, object], dict[str, str], list[DraftFinding]]:
    """Draft findings of a row each, whose names are in one column; readers in another."""
    words = [text for text, _ in classes.values]
    none = no_finding_words(words)
    keys: dict[str, object] = {"layout": "rows", "finding": classes.name}
    comments = {}
    if none:
        keys["none"] = list(none)
    reader = next((one.name for one in profile.columns if READER_NAMES.match(one.name)), None)
    if reader is not None:
        keys |= {"reader": reader, "several": "majority"}
        comments["several"] = "of the readers of an id; or mean, any, equal"
    count = profile.frame[ids].n_unique()
    found = []
    for word in words:
        if word not in none:
            has = profile.frame.filter(pl.col(classes.name) == word)[ids].n_unique()
            found.append(DraftFinding(slug(word), (word,), has / count, count))
    return keys, comments, found


def _marked(profile: Profile, column: str) -> DraftFinding:
    cells = profile.frame[column].fill_null("").str.strip_chars()
    positive = int((~cells.is_in(["", NO_MARK])).sum())
    return DraftFinding("marked", ("marked",), positive / max(cells.len(), 1), cells.len())


def _long_rows(profile: Profile, column: str, word: str) -> pl.DataFrame:
    return profile.frame.filter(pl.col(column).str.ends_with(f"_{word}"))


def _modalities(images: pl.DataFrame | None, profile: Profile) -> tuple[tuple[str, ...], str]:
    """Return the commonest modality of an archive, and why; without an archive, films where the
    label file speaks of views, pictures or boxes."""
    if images is None or not images.height:
        names = " ".join(column.name.lower() for column in profile.columns)
        pictures = any(
            text.lower().endswith((".png", ".jpg", ".jpeg"))
            for column in profile.columns
            for text, _ in column.values[:5]
        )
        if profile.box or pictures or "view" in names or "ap/pa" in names:
            return FILMS, "guessed: the label file has views, pictures or boxes"
        return ("CT",), "guessed: no images were given"
    modality = images["Modality"].drop_nulls().mode().sort()
    first = modality[0] if modality.len() else "CT"
    count = images.filter(pl.col("Modality") == first).height
    why = f"{count} of {plural(images.height, 'image')}"
    return FILMS if first in FILMS else (first,), why


def _part(images: pl.DataFrame | None, modalities: tuple[str, ...]) -> tuple[str, str]:
    """Return the part of the body that the CT of an archive shows, "" where it is not known, and
    why: by BodyPartExamined, else by the pixels of some series."""
    if images is None or modalities != ("CT",):
        return "", ""
    parts = images["BodyPartExamined"].drop_nulls().mode().sort()
    if parts.len() and (part := part_of(parts[0])):
        return part, "by BodyPartExamined"
    part, count, looked = find_body_part(images)
    return part, f"seen in {count} of {looked} series that were looked at" if part else ""


def slug(word: str) -> str:
    """Make a name of a finding of its word in a label file: lower case, underscores."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word.strip())
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_") or "finding"
