"""study/series_choice.py: which series of a study to read: a score, with its reasons."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from wetread.study.header_content import SECONDARY_CAPTURE
from wetread.study.issues import geometry_issues
from wetread.study.stack import fatal_issues
from wetread.study.unit import UNIT_COLUMNS, read_unit

_REPORT_WORDS = re.compile(r"DOSE|SCREEN SAVE|PROTOCOL|\bPROT\b")
_SECOND_HAND = re.compile(r"\b(MPR|MIP|MINIP|AVERAGE|REFORMATTED|PROJECTION IMAGE|CSA 3D)\b")


@dataclass(frozen=True)
class SeriesPreference:
    """Which series a task prefers to read.

    body_parts:   words of BodyPartExamined that are right; empty: any.
    least_slices: fewer are no whole organ.
    thickness_mm: the least and the greatest SliceThickness that suit.
    sharp:        whether an edge-enhancing kernel (bone, lung) is preferred; None: either.
    """

    body_parts: tuple[str, ...] = ()
    least_slices: int = 1
    thickness_mm: tuple[float, float] = (0.0, float("inf"))
    sharp: bool | None = None


ANY_SERIES = SeriesPreference()


@dataclass(frozen=True)
class SeriesScore:
    """How well a series suits: score 0 is without fault; each reason says what it cost."""

    series_uid: str
    slices: int
    score: float
    reasons: tuple[str, ...]


def rank_series(series: Sequence[pl.DataFrame], preference: SeriesPreference) -> list[SeriesScore]:
    """Rank the series of one study, best first; equal scores: more slices, then by UID."""
    scores = [score_series(rows, preference) for rows in series]
    return sorted(scores, key=lambda score: (-score.score, -score.slices, score.series_uid))


def score_series(rows: pl.DataFrame, preference: SeriesPreference) -> SeriesScore:
    """Score one series' rows by their headers."""
    kind = _commonest(rows["ImageType"])
    values = [value.strip() for value in kind.split("\\")]
    costs = [
        *_picture_costs(values, kind, _commonest(rows["SOPClassUID"])),
        *_preference_costs(rows, preference),
    ]
    fatal = [issue.name for issue in fatal_issues(geometry_issues(rows))]
    if fatal:
        costs.append((5.0 * len(fatal), ", ".join(fatal)))
    return SeriesScore(
        series_uid=_commonest(rows["SeriesInstanceUID"]),
        slices=rows.height,
        score=-sum(cost for cost, _ in costs),
        reasons=tuple(f"-{cost:g} {why}" for cost, why in costs),
    )


def _picture_costs(values: list[str], kind: str, sop_class: str) -> list[tuple[float, str]]:
    """List (cost, reason) of the kind of picture, by ImageType (0008,0008) and SOP class."""
    costs = []
    if values[2:3] == ["LOCALIZER"]:
        costs.append((100.0, "localizer"))
    if _REPORT_WORDS.search(kind):
        costs.append((100.0, "dose report or a page of text"))
    if sop_class.startswith(SECONDARY_CAPTURE):
        costs.append((60.0, "secondary capture"))
    if values[0] == "DERIVED":
        costs.append((20.0, "derived"))
    if values[1:2] == ["SECONDARY"]:
        costs.append((20.0, "made of other images"))
    if found := _SECOND_HAND.search(kind):
        costs.append((10.0, f"reformatted ({found[0]})"))
    return costs


def _preference_costs(rows: pl.DataFrame, preference: SeriesPreference) -> list[tuple[float, str]]:
    """List (cost, reason) against the preference; a header that says nothing costs nothing."""
    costs = []
    headers = rows.select(UNIT_COLUMNS).iter_rows(named=True)
    foreign = sum(read_unit(row).issue in ("no_rescale", "not_hu") for row in headers)
    if 2 * foreign > rows.height:
        costs.append((60.0, "values that are no Hounsfield units"))
    part = _commonest(rows["BodyPartExamined"]).upper()
    if part and preference.body_parts and not any(word in part for word in preference.body_parts):
        costs.append((50.0, f"body part {part}"))
    if rows.height < preference.least_slices:
        costs.append((40.0, f"{rows.height} slices, at least {preference.least_slices} wanted"))
    kernel = _commonest(rows["ConvolutionKernel"])
    if kernel and preference.sharp is not None and is_sharp(kernel) != preference.sharp:
        costs.append((15.0, f"kernel {kernel} is {'soft' if preference.sharp else 'sharp'}"))
    thickness = rows["SliceThickness"].median()
    low, high = preference.thickness_mm
    if isinstance(thickness, float) and not low <= thickness <= high:
        costs.append((10.0, f"slices {thickness:g} mm thick, {low:g} to {high:g} wanted"))
    return costs


def is_sharp(kernel: str) -> bool:
    """Whether a ConvolutionKernel enhances edges, by its maker's convention of naming.

    Siemens: a number, 60 and up (B60, H60s, Hr64). Toshiba, Canon: FC30-39, FC50-59, FC80-89. GE:
    BONE, EDGE, LUNG, ULTRA. Philips: D, E, L, YB to YE.
    """
    name = kernel.upper().split("\\")[0].strip()
    if found := re.match(r"FC(\d\d)", name):
        return int(found[1]) // 10 in (3, 5, 8)
    if found := re.match(r"[A-Z]{1,2}(\d\d)", name):
        return int(found[1]) >= 60
    if re.match(r"BONE|EDGE|LUNG|ULTRA", name):
        return True
    return name in ("D", "E", "L", "YB", "YC", "YD", "YE")


def _commonest(values: pl.Series) -> str:
    """Find the commonest value, the first by name where two are; "" where there is none."""
    counts = values.drop_nulls().value_counts().sort("count", values.name, descending=[True, False])
    return str(counts[values.name][0]) if counts.height else ""
