"""reports/run_sentences.py: the sentences of a run's page that hold numbers, true to its tables.

about: the run's about.json; parts: the proof's, part name to patients and slices (folds.json).
"""

from __future__ import annotations

from collections.abc import Mapping

from wetread.archive.plural import plural
from wetread.archive.types import JsonObject
from wetread.training.origin import describe_origin, is_phantoms_only, is_without_patients
from wetread.training.predictions import LevelPredictions

SPLITS = {
    "held_out": "held out from training and from every choice",
    "out_of_fold": "that the model that read them had never seen",
}
Parts = Mapping[str, Mapping[str, int]]


def summary_sentence(about: JsonObject, parts: Parts, images: LevelPredictions, first: int) -> str:
    """Return the sentence of how many were learned from, chose the epoch and were scored.

    first: studies of phantoms that were learned before.
    """
    patients, unit = len(set(images.patients)), split_unit(about)
    judged = (
        f"judged on {plural(len(images.ids), 'image')} of {plural(patients, unit)} "
        f"{SPLITS[images.split]}"
    )
    counted = about["counts"].get("labelled_by_study", 0)
    spread = f" {counted} of the images have a label by their study alone." if counted else ""
    learned = f"Learned from {_learned(parts, first, unit)}; {judged}."
    return f"{learned}{spread} {identity_sentence(about)}"


def split_unit(about: JsonObject) -> str:
    """Name the unit that folds never split: a patient, or a study where patients are not known."""
    identity = about.get("identity")  # runs of earlier versions have none
    return "patient" if identity is None or identity["unit"] == "patient" else "study"


def identity_sentence(about: JsonObject) -> str:
    """Return the sentence of who is one patient, or why that is not known."""
    if split_unit(about) == "patient":
        return f"Who is one patient is taken from {about['patients_from']}."
    whose = {"study": "each study", "mixed": "where none is named, the study"}
    unit = about["identity"]["unit"]
    return f"Patients are not known ({about['identity']['reason']}): {whose[unit]} stands for one."


def _learned(parts: Parts, first: int, unit: str) -> str:
    before = f", after {plural(first, 'study')} of phantoms" if first else ""
    if "train" not in parts:
        slices, patients = (sum(part[key] for part in parts.values()) for key in _COUNTED)
        return (
            f"{plural(slices, 'labelled image')} of {plural(patients, unit)} in "
            f"{len(parts)} folds{before}, each fold read by a model of the others"
        )
    train, validation = (
        [parts.get(name, {}).get(key, 0) for key in _COUNTED] for name in ("train", "validation")
    )
    sentence = f"{plural(train[0], 'labelled image')} of {plural(train[1], unit)}{before}"
    if validation[0]:
        sentence += (
            f"; {plural(validation[0], 'image')} of {plural(validation[1], f'other {unit}')} "
            "chose what is kept"
        )
    return sentence


_COUNTED = ("slices", "patients")


def origin_sentence(about: JsonObject) -> tuple[str, str]:
    """Return the badge next to the title, and its sentence: whether the patients are phantoms."""
    if "learned_from" not in about or "scored_on" not in about:
        return "", "Whether its studies are of patients or synthetic phantoms was not kept."
    learned, scored = about["learned_from"], about["scored_on"]
    if is_phantoms_only(learned) and is_without_patients(scored):
        return "synthetic phantoms", (
            "No patient stands behind these numbers: every study learned from or scored on is a "
            "phantom that wetread drew. They show that the path works, not how good a model would "
            "be on patients."
        )
    words = describe_origin(about)
    grafts = _grafts_sentence(learned.get("grafts", 0))  # runs of before have none
    sentence = f"{words[0].upper()}{words[1:]}. {grafts}".rstrip()
    if not learned["phantom_studies"] and not scored["phantom_studies"]:
        return "", sentence
    return "partly synthetic phantoms", (
        f"{sentence} What is of phantoms, wetread drew: no patient stands behind it."
    )


def _grafts_sentence(share: float) -> str:
    """Say into which share of the negatives of an epoch lesions were painted; "" for none."""
    if not share:
        return ""
    return (
        f"While it learned, lesions that wetread drew were painted into {share:.0%} of the "
        "negative images; none was painted into an image that chose the epoch or was scored."
    )


def score_caution(about: JsonObject) -> str:
    """Return in few words that a score is of phantoms and of no patient; "" where that is not
    so."""
    known = "scored_on" in about
    return "of phantoms, no patient" if known and is_phantoms_only(about["scored_on"]) else ""
