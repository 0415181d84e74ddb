"""survey/warning.py: what a survey warns of: a closed list, with what it means and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

MOST_EXAMPLES = 5


@dataclass(frozen=True)
class WarningKind:
    """One kind of warning, for people: its title, what such a fault has cost, what to do."""

    title: str
    cost: str
    advice: str


@dataclass(frozen=True)
class SurveyWarning:
    """A fault or a trap that was found in an archive or its labels.

    name:     a key of WARNINGS.
    detail:   what was found, with its figures.
    count:    of how many patients, studies, images or labels.
    examples: UIDs, paths or ids of labels of some of them; never an id of a patient.
    """

    name: str
    detail: str
    count: int
    examples: tuple[str, ...] = ()

    @property
    def kind(self) -> WarningKind:
        """Return what warnings of its name mean."""
        return WARNINGS[self.name]

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return asdict(self) | {"examples": list(self.examples)}


def first_examples(values: Iterable[object]) -> tuple[str, ...]:
    """Return the first distinct values that are there, as text."""
    distinct = dict.fromkeys(str(value) for value in values if value is not None)
    return tuple(distinct)[:MOST_EXAMPLES]


WARNINGS: Mapping[str, WarningKind] = {
    "patient_in_two_parts": WarningKind(
        "One patient in two parts of a split",
        "a network recognizes the person, and the score of the part it is tested on is too good",
        "deal whole patients, as train does; where headers lack them, give it a table of patients",
    ),
    "patient_in_two_sources": WarningKind(
        "One patient in both archives",
        "what is tested on was learned from",
        "leave these patients out of one of the archives",
    ),
    "study_in_two_sources": WarningKind(
        "One study in both archives",
        "what is tested on was learned from",
        "leave these studies out of one of the archives",
    ),
    "image_in_two_sources": WarningKind(
        "One image in both archives",
        "what is tested on was learned from",
        "leave these images out of one of the archives",
    ),
    "same_pixels_in_two_sources": WarningKind(
        "Equal pixels in both archives",
        "what is tested on was learned from, under another id",
        "leave these images out of one of the archives",
    ),
    "patient_unknown": WarningKind(
        "Headers do not tell who is whose patient",
        "a split by such ids is a split by image: one person is on both sides of it",
        "give a table of image and patient (`patients`), or take each study for one",
    ),
    "study_of_two_patients": WarningKind(
        "One study of two patients",
        "studies cannot be dealt to parts, and labels of one patient are given to the other",
        "correct the headers, or give a table of image and patient (`patients`)",
    ),
    "same_pixels": WarningKind(
        "The same pixels under several ids",
        "copies on both sides of a split are learned by heart, and counted twice in a score",
        "keep one of each, or keep all on one side",
    ),
    "similar_pixels": WarningKind(
        "Perhaps the same image: flipped, windowed, resized or compressed",
        "as exact copies do, and no digest finds them",
        "look at both pictures; keep one, or keep both on one side",
    ),
    "label_conflict": WarningKind(
        "A label stands twice with unequal values",
        "whichever row comes last is learned",
        "correct the file; until then such a label counts as unknown",
    ),
    "label_without_file": WarningKind(
        "Labels that name nothing here",
        "a join drops them without a word: one competition entry lost 12.5 % of its images so",
        "compare the ids of both; bring the files, or leave the rows out",
    ),
    "file_without_label": WarningKind(
        "Images without a label",
        "they are not learned from; taken for negatives they teach what is not so",
        "bring their labels, or know that these are unlabeled",
    ),
    "ids_damaged": WarningKind(
        "Ids of labels that were damaged",
        "str.strip('.dcm') takes letters off an id's ends, a table program its zeros",
        "write the ids again from the files' own names, as text",
    ),
    "shortcut": WarningKind(
        "A finding can be told from the header alone",
        "a network may learn the scanner, the view or the file form, and fails elsewhere",
        "balance these columns, score by group (evaluate does), and hold the header's score "
        "beside the network's",
    ),
    "wrong_intercept": WarningKind(
        "Series whose rescale intercept is wrong",
        "air reads as bone: windows show nothing, and means are off by thousands of HU",
        "index repairs them unless told not to; look at the pictures before and after",
    ),
    "impossible_spacing": WarningKind(
        "Series whose spacing no scan has",
        "volumes in mm and crops are wrong by as much",
        "look at the headers with wetread show; leave such series out",
    ),
    "rule_broken": WarningKind(
        "Labels that break the task's own rules",
        "what contradicts itself cannot be learned, and a submission like it is refused",
        "correct the labels",
    ),
    "readers_disagree": WarningKind(
        "Readers who disagree with the others",
        "no network can be better than the labels it is scored by",
        "take the majority, look at the studies that are called differently",
    ),
    "label_doubtful": WarningKind(
        "Labels that a run's predictions speak against",
        "some are wrong labels, and the rest is what the network has not learned",
        "look at these images again; never change a label that a score is computed on",
    ),
    "burnt_in_text": WarningKind(
        "Letters in the pixels",
        "they may name the patient, and a network reads the side marker in place of the lung",
        "look at the pictures; leave them out, or black the letters out",
    ),
    "constant_image": WarningKind(
        "Images of one value",
        "nothing can be seen in them, whatever their label says",
        "leave them out",
    ),
}
