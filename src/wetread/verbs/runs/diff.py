"""verbs/runs/diff.py: what differs between two runs: recipe, data, code, machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wetread.archive.types import JsonObject, StrPath
from wetread.training.recipe import flat_settings
from wetread.training.record import RunRecord, is_run_folder, read_record

PARTS = ("recipe", "data", "code", "machine")
NOT_RECORDED = "not recorded"
CODE = ("wetread", "source", "python")
MACHINE = ("system", "processor", "cores", "kernels", "threads", "device", "device_name",
           "precision", "deterministic")  # fmt: skip


@dataclass(frozen=True)
class RunDifference:
    """A thing that two runs have otherwise; part: one of PARTS. A value is a plain one, or
    NOT_RECORDED."""

    part: str
    key: str
    first: object
    second: object


@dataclass(frozen=True)
class RunDifferences:
    """The differences between two runs, first and second by name.

    equal: part (recipe, data, code, machine) to how many of its known values are equal.
    """

    first: str
    second: str
    found: tuple[RunDifference, ...]
    equal: Mapping[str, int]

    def to_dict(self) -> JsonObject:
        """Return plain values, for JSON."""
        return {
            "first": self.first,
            "second": self.second,
            **{
                part: [
                    {"key": one.key, "first": one.first, "second": one.second}
                    for one in self.found
                    if one.part == part
                ]
                for part in PARTS
            },
            "equal": dict(self.equal),
        }


def diff_runs(first: StrPath, second: StrPath) -> RunDifferences:
    """Name what differs between two runs, finished or not: settings by their names; images, pixels,
    labels, patients and folds by their digests, and counts; versions and the package's source; the
    machines of their last sessions.

    Raises ValueError where a folder is no run, DamagedFileError where none of it can be read.
    """
    records = [_open(Path(folder)) for folder in (first, second)]
    found: list[RunDifference] = []
    equal = {}
    for part, describe in (
        ("recipe", _recipe),
        ("data", _data),
        ("code", _code),
        ("machine", _machine),
    ):
        one, other = (describe(record) for record in records)
        keys = list(dict.fromkeys((*one, *other)))
        pairs = [(key, one.get(key, NOT_RECORDED), other.get(key, NOT_RECORDED)) for key in keys]
        found += [RunDifference(part, key, a, b) for key, a, b in pairs if a != b]
        equal[part] = sum(a == b != NOT_RECORDED for _, a, b in pairs)
    return RunDifferences(str(first), str(second), tuple(found), equal)


def _open(folder: Path) -> RunRecord:
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; name a run")
    if not is_run_folder(folder):
        raise ValueError(f"{folder}: no run, which wetread train writes")
    return read_record(folder)


def _recipe(record: RunRecord) -> JsonObject:
    settings = {} if record.recipe is None else flat_settings(record.recipe)
    return {"task": (record.about or {}).get("task", NOT_RECORDED), **settings}


def _data(record: RunRecord) -> JsonObject:
    """Describe data by digests, counts, shares of labels, and patients of each part."""
    about = record.about or {}
    digests = about.get("data") or {}
    kinds = ("images", "pixels", "labels", "masks", "patients", "folds")
    values: JsonObject = {name: digests.get(name) or NOT_RECORDED for name in kinds}
    values |= {f"counts.{name}": count for name, count in about.get("counts", {}).items()}
    values |= {f"prior.{name}": round(share, 6) for name, share in about.get("prior", {}).items()}
    for part in ("learned_from", "chosen_on", "scored_on"):
        values |= {f"{part}.{name}": one for name, one in about.get(part, {}).items()}
    parts = Counter((record.folds or {}).values())
    dealt = ", ".join(f"{part}: {parts[part]}" for part in sorted(parts))
    return values | {"patients by part": dealt or NOT_RECORDED}


def _code(record: RunRecord) -> JsonObject:
    last = record.sessions[-1] if record.sessions else {}
    packages = last.get("packages") or {}
    known = {name: last.get(name, NOT_RECORDED) for name in CODE}
    return known | {name: version for name, version in packages.items() if version is not None}


def _machine(record: RunRecord) -> JsonObject:
    """Describe the machine of the last session; a value that sessions had otherwise names all."""
    values: JsonObject = {}
    for name in MACHINE:
        seen = list(dict.fromkeys(str(one[name]) for one in record.sessions if name in one))
        values[name] = ", then ".join(seen) if seen else NOT_RECORDED
    return values
