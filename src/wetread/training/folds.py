"""training/folds.py: patients are dealt into parts, labels evenly; the proof is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from wetread.archive.plural import plural
from wetread.archive.types import BoolArray, FloatArray, JsonObject
from wetread.evaluation.deal import deal


@dataclass(frozen=True, eq=False)
class FoldPlan:
    """Which patient belongs to which part, and the proof that the parts are fair.

    parts:      the names, in order ("0", "1", ... for folds).
    assignment: patient to part, in the order in which they were dealt.
    proof:      shared_patients (over all pairs of parts, 0), and for each part its patients,
                slices, and share of slices and of patients positive for each finding.
    """

    parts: tuple[str, ...]
    assignment: dict[str, str]
    proof: JsonObject

    def mask(self, part: str, patients: Sequence[str]) -> BoolArray:
        """Mark (N,) which of the slices, given by their patients, belong to the part."""
        if part not in self.parts:
            raise ValueError(f"no part {part!r}; known: {', '.join(self.parts)}")
        return np.array([self.assignment[patient] == part for patient in patients], bool)

    def to_dict(self) -> JsonObject:
        """Give plain values, for JSON."""
        return {"parts": list(self.parts), "assignment": self.assignment, "proof": self.proof}

    @staticmethod
    def from_dict(values: JsonObject) -> "FoldPlan":
        """Read a plan from the plain values of to_dict."""
        return FoldPlan(
            tuple(values["parts"]), dict(values["assignment"]), dict(values["proof"] or {})
        )


def make_folds(
    patients: Sequence[str],
    truth: FloatArray,
    folds: int,
    seed: int,
    findings: Sequence[str] | None = None,
    order: Sequence[str] = (),
) -> FoldPlan:
    """Deal patients (N,) to folds of equal share; truth (N, F) of every slice, NaN unknown.

    findings, order: as for make_split. ValueError for fewer than two folds.
    """
    if folds < 2:
        raise ValueError(f"cross-validation needs at least 2 folds, not {folds}")
    return make_split(
        patients, truth, {str(i): 1 / folds for i in range(folds)}, seed, findings, order
    )


def make_split(
    patients: Sequence[str],
    truth: FloatArray,
    shares: Mapping[str, float],
    seed: int,
    findings: Sequence[str] | None = None,
    order: Sequence[str] = (),
) -> FoldPlan:
    """Deal patients (N,) to parts of the given shares ("train": 0.7, ...): no patient in two, and
    labels alike; truth (N, F) of every slice, NaN unknown.

    order: in which patients are dealt, so that chance falls alike whatever they are called; those
    that it does not name come last, sorted.
    """
    names = tuple(findings or (str(f) for f in range(truth.shape[1])))
    rest = set(map(str, patients))
    known = [patient for patient in order if patient in rest]
    known += sorted(rest.difference(known))
    if len(known) < len(shares):
        raise ValueError(
            f"{plural(len(known), 'patient')} cannot fill {len(shares)} parts; ask for fewer, "
            "or bring more patients"
        )
    if not shares or min(shares.values()) <= 0:
        raise ValueError(f"every part needs a share above 0, not {dict(shares)}")
    place = {patient: number for number, patient in enumerate(known)}
    of_slice = np.array([place[patient] for patient in map(str, patients)], np.int64)
    positive = np.asarray(truth) > 0.5  # NaN is not above: unknown counts as no positive
    has = np.zeros((len(known), truth.shape[1]), bool)
    np.logical_or.at(has, of_slice, positive)
    slices = np.bincount(of_slice, minlength=len(known))
    share = np.array(list(shares.values())) / sum(shares.values())
    part = deal(has, slices, share, np.random.default_rng(seed))
    parts = tuple(shares)
    assignment = {patient: parts[part[i]] for i, patient in enumerate(known)}
    return FoldPlan(parts, assignment, prove(assignment, parts, patients, positive, names))


def prove(
    assignment: Mapping[str, str],
    parts: Sequence[str],
    patients: Sequence[str],
    positive: BoolArray,
    findings: Sequence[str],
) -> JsonObject:
    """Count what the parts hold from the slices themselves, patients (N,) and positive (N, F), not
    from how they were dealt."""
    ids = np.asarray(patients, str)
    where = np.array([assignment[patient] for patient in ids])
    members = {name: set(ids[where == name].tolist()) for name in parts}
    shared = sum(len(members[a] & members[b]) for a, b in combinations(parts, 2))
    proof: JsonObject = {"shared_patients": shared, "parts": {}}
    for name in parts:
        inside = positive[where == name]
        with_finding = [
            len(set(ids[(where == name) & positive[:, f]])) for f in range(len(findings))
        ]
        proof["parts"][name] = {
            "patients": len(members[name]),
            "slices": len(inside),
            "positive_slice_share": {
                finding: float(inside[:, f].mean()) if len(inside) else None
                for f, finding in enumerate(findings)
            },
            "positive_patient_share": {
                finding: with_finding[f] / max(len(members[name]), 1)
                for f, finding in enumerate(findings)
            },
        }
    return proof
