"""verbs/task/profile.py: what the columns of a label file hold: ids, findings, names, boxes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from wetread.labels.cell_values import BLANK, UNCERTAIN, WORDS
from wetread.labels.label_form import ID_OF, LIST, IdOf
from wetread.labels.resolve import name_images
from wetread.labels.table import LabelError
from wetread.labels.text_table import read_text_table

MOST_NAMES = 200  # of findings in one column
FEW = 12  # different values at most of a column of labels that are no numbers
SEPARATORS = ("|", ";")
BOX_WORDS = (
    ("x", "y", "width", "height"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x", "y", "w", "h"),
)
NO_FINDING = re.compile(r"^(no ?_?findings?|none|normal|negative|nothing)$", re.IGNORECASE)
HEADLESS = re.compile(r"^([01](\.0)?|-1|.*\.(dcm|png|jpe?g|nii(\.gz)?))$", re.IGNORECASE)
NO_WORD = re.compile(r"^[0-9]|\.(dcm|png|jpe?g|nii|gz)$", re.IGNORECASE)
RUNS = re.compile(r"^[0-9]+ [0-9]+( [0-9]+ [0-9]+)*$")
ID_NAMES: dict[str, IdOf] = {  # words of a column's name that tell what its ids name
    "sopinstanceuid": "image", "image": "image", "seriesinstanceuid": "series", "series": "series",
    "studyinstanceuid": "study", "study": "study", "exam": "study", "patient": "patient",
    "path": "file", "file": "file", "name": "study", "id": "image",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column of a label file.

    values:   its distinct texts and how often each stands there, the most frequent first; of many
              the first MOST_NAMES.
    distinct: how many there are. blank: cells without text.
    """

    name: str
    values: tuple[tuple[str, int], ...]
    distinct: int
    blank: int

    @property
    def is_label(self) -> bool:
        """Whether its cells are yes and no, shares, -1 or blank, and not all the same."""
        words = {text.strip().lower() for text, _ in self.values}
        words -= {*BLANK}
        if not words or self.distinct > len(self.values):
            return False
        if not all(word in WORDS or word in UNCERTAIN or _is_share(word) for word in words):
            return False
        # Shares none of which is 0 or 1 are measures.
        return any(
            word in WORDS or (_is_share(word) and _number(word) in (0.0, 1.0)) for word in words
        )

    @property
    def is_uncertain(self) -> bool:
        """Whether -1 or its like stands in it."""
        return any(text.strip().lower() in UNCERTAIN for text, _ in self.values)


@dataclass(frozen=True)
class IdMatch:
    """How the ids of a column meet an archive, as names of something.

    met: distinct ids that name something there, of `ids` in all; repaired: of them by a repair.
    missed: the first of the others.
    """

    column: str
    id_of: IdOf
    ids: int
    met: int
    repaired: int
    missed: tuple[str, ...]
    images: int


@dataclass(frozen=True, eq=False)
class Profile:
    """A label file: its columns as text, and what they hold."""

    path: Path
    frame: pl.DataFrame
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """Return the column of a name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.frame.height

    @property
    def box(self) -> tuple[str, ...]:
        """The four columns of boxes; () where there are none."""
        named = {column.name.strip().lower(): column.name for column in self.columns}
        for words in BOX_WORDS:
            if all(word in named for word in words):
                return tuple(named[word] for word in words)
        return ()


def read_profile(path: Path) -> Profile:
    """Read a label file and look at all of its columns. LabelError where it cannot be read."""
    frame = read_text_table(path).frame
    data = [name for name in frame.columns if HEADLESS.match(name.strip())]
    if data and frame.height:
        raise LabelError(
            f"{path}: the first line is no header ({data[0]!r} stands in it); write the names of "
            "the columns there."
        )
    frame = frame.rename({name: name.strip() for name in frame.columns})
    frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
    return Profile(path, frame, tuple(_column(frame[name]) for name in frame.columns))


def _column(cells: pl.Series) -> Column:
    counts = cells.drop_nulls().value_counts(sort=True, name="times")
    first = counts.head(MOST_NAMES)
    values = tuple(zip(first[cells.name].to_list(), first["times"].to_list(), strict=True))
    return Column(cells.name, values, counts.height, cells.null_count())


def _is_share(word: str) -> bool:
    try:
        return 0.0 <= _number(word) <= 1.0
    except ValueError:
        return False


def _number(word: str) -> float:
    return float(word.replace(",", "."))


def marks_of(profile: Profile) -> tuple[str, tuple[str, ...]] | None:
    """Return the column that holds run-length masks, or the first of a box, and all columns of
    marks; None where there are none."""
    if profile.box:
        return profile.box[0], profile.box
    for column in profile.columns:
        texts = [text.strip() for text, _ in column.values]
        runs = [text for text in texts if RUNS.match(text)]
        if runs and all(text == "-1" or RUNS.match(text) for text in texts):
            return column.name, (column.name,)
    return None


def joined_names(column: Column) -> tuple[str, tuple[str, ...]] | None:
    """Return the separator and the names of a column of joined names, the most frequent first;
    None where it is no such column."""
    texts = [text.strip() for text, _ in column.values]
    if texts and all(re.match(LIST, text) for text in texts):
        return ",", _names_of(column, lambda text: text.strip("[]").split(","))
    for separator in SEPARATORS:
        if any(separator in text for text in texts):
            names = _names_of(column, partial(re.split, re.escape(separator)))
            if len(names) <= MOST_NAMES and len(names) < column.distinct:
                return separator, names
    return None


def _names_of(column: Column, split: Callable[[str], list[str]]) -> tuple[str, ...]:
    counts: Counter[str] = Counter()
    for text, times in column.values:
        counts.update({part.strip(" '\""): times for part in split(text.strip())})
    return tuple(name for name, _ in counts.most_common() if name)


def class_column(profile: Profile, ids: str) -> Column | None:
    """Return the column that names the finding of each row, where an id has several rows: words,
    one of which says that nothing was found, or of which ids have different ones."""
    repeated = profile.frame[ids].drop_nulls()
    if not repeated.is_duplicated().any():
        return None
    for column in profile.columns:
        texts = [text for text, _ in column.values]
        if column.name == ids or column.distinct > len(texts) or column.is_label or column.blank:
            continue
        if not all(re.search(r"[A-Za-z]{3}", text) for text in texts) or len(texts) < 2:
            continue
        of_ids = profile.frame.group_by(ids).agg(pl.col(column.name).n_unique())[column.name]
        if no_finding_words(texts) or (of_ids.max() or 0) > 1:  # type: ignore[operator]
            return column
    return None


def long_endings(column: Column, frame: pl.DataFrame) -> tuple[str, tuple[str, ...]] | None:
    """Return the separator and the findings behind it of ids that end in one, each as often; None
    where these are no such ids."""
    ids = frame[column.name].drop_nulls()
    last = ids.str.extract(r"_([^_]+)$").drop_nulls()
    endings = last.value_counts(name="times")
    if last.len() < ids.len() or not 2 <= endings.height <= FEW * 4:
        return None
    if endings["times"].max() != endings["times"].min():
        return None
    words = last.unique(maintain_order=True).to_list()
    if any(NO_WORD.search(word) for word in words):  # of a file's or an image's own name
        return None
    return "_", tuple(words)


def id_matches(
    profile: Profile, images: pl.DataFrame | None, strip: str | None = None
) -> list[IdMatch]:
    """Match each column that may hold ids with an archive's names, the best first; without an
    archive by the names of the columns. strip: what stands behind an id, as a pattern."""
    found = []
    for column in profile.columns:
        ids = profile.frame[column.name].drop_nulls()
        if strip is not None:
            ids = ids.str.replace(strip, "")
        distinct = ids.unique(maintain_order=True)
        if column.is_label or not distinct.len():
            continue
        if images is None:
            found.append(_by_name(column, distinct))
            continue
        for id_of in ID_OF:
            named, repaired = name_images(distinct, id_of, images)
            met = set(named["written"])
            missed = [one for one in distinct if one not in met]
            found.append(
                IdMatch(
                    column.name, id_of, distinct.len(), len(met), repaired, tuple(missed[:3]),
                    named["image"].n_unique(),
                )
            )  # fmt: skip
    if images is None:
        return sorted(found, key=lambda one: (-one.met, -one.ids))
    # As many images as can be, by the finest ids, named as they are before repaired.
    return sorted(found, key=lambda one: (-one.images, -one.met, one.repaired))


def _by_name(column: Column, distinct: pl.Series) -> IdMatch:
    """Guess what a column's ids name by its own name; `met` is how sure that is."""
    plain = re.sub(r"[^a-z]", "", column.name.lower())
    place = {word: number for number, word in enumerate(ID_NAMES)}
    words = sorted((word for word in ID_NAMES if word in plain), key=lambda word: place[word])
    sure = len(ID_NAMES) - place[words[0]] if words else 0
    id_of = ID_NAMES[words[0]] if words else "image"
    if id_of != "file" and _like_files(distinct):
        id_of = "file"
    return IdMatch(column.name, id_of, distinct.len(), sure, 0, (), 0)


def _like_files(ids: pl.Series) -> bool:
    """Whether ids are names of files."""
    endings = ids.head(50).str.contains(r"(?i)\.(dcm|png|jpe?g|nii|nii\.gz|tiff?)$")
    return bool(endings.all())


def no_finding_words(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names that say that nothing was found."""
    return tuple(name for name in names if NO_FINDING.match(name.strip()))
