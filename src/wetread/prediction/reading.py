"""prediction/reading.py: the reading of one study, as a value. No file is touched here."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import polars as pl

from wetread.archive.notebook import table_html
from wetread.archive.rejects import Reject
from wetread.archive.types import JsonObject
from wetread.prediction.cautions import short_cautions
from wetread.prediction.placement import NOT_KNOWN, Placement
from wetread.study.issue import Issue
from wetread.study.series_choice import SeriesScore

USE = "Research use only, not for diagnosis"


@dataclass(frozen=True)
class SliceReading:
    """One image of the series.

    z:             its place in the series, 0 lowest along the normal.
    position_mm:   its position along the normal; None where the header gives none.
    probabilities: finding to probability.
    """

    sop_instance_uid: str
    z: int
    position_mm: float | None
    probabilities: Mapping[str, float]

    def to_dict(self) -> JsonObject:
        """Return plain values, for JSON."""
        return {
            "SOPInstanceUID": self.sop_instance_uid,
            "z": self.z,
            "position_mm": self.position_mm,
            "probabilities": dict(self.probabilities),
        }


@dataclass(frozen=True)
class Reading:
    """A study's probabilities, the slices that speak for them, and what could not be read.

    slices:     in order of position along the normal, one acquisition of a series after another.
    study:      finding to probability of the whole study; empty where no slice could be read.
    key_slices: SOP Instance UIDs of the slices that speak most for the study, best first.
    provenance: checkpoints, versions and settings that made the reading.
    issues:     what is unusual in the geometry.
    rejects:    files of this study that could not be read.
    findings:   all names in their order; also where nothing could be read.
    series:     where the study has several: each with its score and why, the best first; the study
                and the key slices are those of series_uid, slices are of all.
    masks:      what was drawn, one value an image and finding: area, side, text, files.
    series_masks: what was drawn along the series that judges the study, a finding each: volume and
                files.
    measures:   numbers measured in these, each with its error on phantoms.
    broken:     rules that the study's answers broke before they were made consistent.
    reason:     why it is unread, a key of archive.rejects.REASONS; detail: in words.
                None in a study that was read.
    cautions:   what must be known of the models that read it: names of prediction/cautions.py.
    origins:    what these models learned from and were scored on, in words.
    placement:  whether it is inside of that which these models learned, and why not.
    flagged:    whether the headline reaches the threshold of the operating point that was asked
                for; None where none was, and in a study that was not read.
    disagreement: finding to the standard deviation of the logits of the networks and their views;
                empty where one network read one view.
    links:      key slice to its place in a page to scroll, from the reading's file on; where there
                is such a page.
    """

    study_uid: str
    series_uid: str
    slices: tuple[SliceReading, ...]
    study: Mapping[str, float]
    key_slices: tuple[str, ...]
    provenance: JsonObject
    issues: tuple[Issue, ...] = ()
    rejects: tuple[Reject, ...] = ()
    findings: tuple[str, ...] = ()
    series: tuple[SeriesScore, ...] = ()
    masks: tuple[JsonObject, ...] = ()
    series_masks: tuple[JsonObject, ...] = ()
    measures: tuple[JsonObject, ...] = ()
    broken: tuple[str, ...] = ()
    reason: str | None = None
    detail: str | None = None
    cautions: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    placement: Placement = NOT_KNOWN
    flagged: bool | None = None
    disagreement: Mapping[str, float] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """Whether it is read, or unread: without any probability."""
        return "read" if self.study else "unread"

    def to_dict(self) -> JsonObject:
        """Return plain values, for JSON."""
        return {
            "use": USE,
            "cautions": list(self.cautions),
            "origins": list(self.origins),
            "in_distribution": self.placement.to_dict(),
            "state": self.state,
            "reason": self.reason,
            "detail": self.detail,
            "flagged": self.flagged,
            "disagreement": dict(self.disagreement),
            "study_uid": self.study_uid,
            "series_uid": self.series_uid,
            "findings": list(self.findings or self.study),
            "study": dict(self.study),
            "series": [asdict(one) for one in self.series],
            "key_slices": list(self.key_slices),
            "links": dict(self.links),
            "slices": [part.to_dict() for part in self.slices],
            "masks": [dict(mask) for mask in self.masks],
            "series_masks": [dict(mask) for mask in self.series_masks],
            "measures": [dict(measure) for measure in self.measures],
            "rules_broken_before": list(self.broken),
            "issues": [{"name": issue.name, "detail": issue.detail} for issue in self.issues],
            "rejects": [asdict(reject) for reject in self.rejects],
            "provenance": dict(self.provenance),
        }

    def _repr_html_(self) -> str:
        """Return the probabilities of the study as HTML, with state, key slices and cautions."""
        state = self.state if self.reason is None else f"{self.state}: {self.reason}"
        names = list(self.findings or self.study)
        probabilities = [self.study.get(name) for name in names]
        table = pl.DataFrame(
            {"finding": names, "probability": probabilities},
            schema={"finding": pl.String, "probability": pl.Float64},
        )
        outside = tuple(one.detail for one in self.placement.reasons)
        lines = {
            "outside what was learned": outside,
            "key slices": self.key_slices,
            "issues": tuple(dict.fromkeys(issue.name for issue in self.issues)),
            "cautions": self.cautions,
            "use": (USE,),
        }
        rows = [(name, ", ".join(values)) for name, values in lines.items() if values]
        notes = pl.DataFrame(rows, schema={"": pl.String, " ": pl.String}, orient="row")
        title = f"Study {self.study_uid}: {state}"
        if self.cautions:
            title += f" ({short_cautions(self.cautions)})"
        return table_html(table, title) + table_html(notes)


def unread_reading(
    study_uid: str,
    reason: str,
    detail: str,
    findings: Sequence[str],
    provenance: JsonObject,
    rejects: Sequence[Reject] = (),
) -> Reading:
    """Make the reading of a study of which nothing was read.

    reason: a name of archive/rejects.py; detail: what was found, in words.
    """
    return Reading(
        study_uid=study_uid,
        series_uid="",
        slices=(),
        study={},
        key_slices=(),
        provenance=provenance,
        rejects=tuple(rejects),
        findings=tuple(findings),
        reason=reason,
        detail=detail,
    )
