"""archive/identity/pseudonym.py: identifying values of an index become pseudonyms.

A PatientID becomes `patient-KEY-DIGEST`: KEY names the user's key, DIGEST is keyed. Equal ids stay
equal under one key, so folds, files of patients and runs meet; without the key nothing leads back.
Free text becomes its words that name nobody and a digest. Times are moved by as much for all images
of a study: their order and their distances stay.
"""

import re
from functools import lru_cache, partial

import polars as pl

from wetread.archive.identity.privacy import (
    FREE_TEXT_COLUMNS,
    PATIENT_COLUMNS,
    SHOWN_WORDS,
    TIME_COLUMNS,
)
from wetread.archive.identity.user_key import UserKey

DAY = 86400  # s; a time from here on was moved
PSEUDONYM = r"^patient-([0-9a-f]{8})-[0-9a-f]{32}$"
_TEXT = r"(?:^| )text-([0-9a-f]{8})-[0-9a-f]{32}$"
# Written by anonymizers and consoles in place of an id: it identifies nobody.
_PLACEHOLDERS = frozenset(
    (
        *("anon", "anonym", "anonyme", "anonymous", "anonymus", "anonymised", "anonymized"),
        *("anonymisiert", "anonymise", "anonimo", "anonimizado", "blank", "cleared", "deid"),
        *("deidentified", "deleted", "desconocido", "dummy", "empty", "hidden", "id", "inconnu"),
        *("mrn", "na", "nan", "nil", "noid", "noname", "none", "notavailable", "notknown", "null"),
        *("patient", "patientid", "private", "redacted", "removed", "test", "unbekannt"),
        *("undefined", "unk", "unknown", "unspecified", "withheld"),
    )
)


def is_placeholder(patient: str) -> bool:
    """Whether a PatientID is nobody's: a word for none, zeros, crosses, or signs alone."""
    words = re.findall(r"[^\W_]+", patient.casefold())
    bare = "".join(words)
    if not bare.strip("0") or not bare.strip("x"):
        return True
    return bare in _PLACEHOLDERS or all(word in _PLACEHOLDERS for word in words)


def is_pseudonym(patient: str) -> bool:
    """Whether it is a pseudonym, under whatever key."""
    return re.match(PSEUDONYM, patient) is not None


def pseudonym(patient: str, key: UserKey) -> str:
    """Replace a PatientID by its pseudonym under the key; placeholders and pseudonyms stay."""
    if is_pseudonym(patient) or is_placeholder(patient):
        return patient
    return f"patient-{key.name}-{key.digest(patient, 'PatientID').hex()}"


def redact_text(text: str, key: UserKey) -> str:
    """Replace a free text by its words that name nobody and `text-KEY-DIGEST` of it all."""
    if re.search(_TEXT, text):
        return text
    words = re.findall(r"[^\W_\d]+", text.casefold())
    shown = [word for word in words if word in SHOWN_WORDS]
    return " ".join((*shown, f"text-{key.name}-{key.digest(text, 'text').hex()}"))


def time_shift_s(study: str | None, key: UserKey) -> float:
    """Draw the whole seconds by which a study's times move, from DAY to twice as much."""
    return float(DAY + int.from_bytes(key.digest(study or "", "times")[:8]) % DAY)


def pseudonymous_columns(key: UserKey) -> list[pl.Expr]:
    """Make the expressions that replace an index's identifying columns; twice does as once."""
    names = lru_cache(maxsize=None)(partial(pseudonym, key=key))
    texts = lru_cache(maxsize=None)(partial(redact_text, key=key))
    moves = lru_cache(maxsize=None)(partial(time_shift_s, key=key))
    move = pl.col("StudyInstanceUID").fill_null("").map_elements(moves, return_dtype=pl.Float64)
    times = [pl.col(name) for name in TIME_COLUMNS]
    return [
        *(pl.col(name).map_elements(names, return_dtype=pl.String) for name in PATIENT_COLUMNS),
        *(pl.col(name).map_elements(texts, return_dtype=pl.String) for name in FREE_TEXT_COLUMNS),
        *(pl.when(time < DAY).then(time + move).otherwise(time) for time in times),
    ]


def matches_key(key: UserKey | None) -> pl.Expr:
    """Select the rows of an index that are clear, or pseudonymous under `key` (None: clear alone);
    the others have to be read from their files again."""
    forms = dict.fromkeys(PATIENT_COLUMNS, PSEUDONYM) | dict.fromkeys(FREE_TEXT_COLUMNS, _TEXT)
    keys = [pl.col(name).str.extract(form) for name, form in forms.items()]
    if key is None:
        moved = [pl.col(name).fill_null(0) >= DAY for name in TIME_COLUMNS]
        return ~pl.any_horizontal(*(column.is_not_null() for column in keys), *moved)
    return pl.all_horizontal(*((column == key.name).fill_null(True) for column in keys))
