"""verbs/bundle/croissant.py: the data that runs saw, as Croissant metadata: counts and features.

MLCommons Croissant 1.0. No file is distributed and nothing of a single patient is in it: records
are counts of parts, findings with their shares, and ranges of headers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wetread.archive.types import JsonObject
from wetread.study.traits import NUMBERS, WORDS

FILE = "croissant.json"
PARTS = ("learned_from", "chosen_on", "scored_on")  # of a run's about.json
COUNTS = ("images", "studies", "patients", "phantom_studies")
CONTEXT: JsonObject = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "cr:dataBiases",
    "dataCollection": "cr:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "cr:personalSensitiveInformation",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
NO_LICENSE = "not stated; ask the holder of the data"


def croissant(about: JsonObject) -> JsonObject:
    """Describe the data of a bundle's runs, by its bundle.json."""
    task, runs = about["task"], about["provenance"]["runs"]
    modalities = ", ".join(task["modalities"])
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"{task['name']}-seen-in-training",
        "description": (
            f"What the networks of a wetread bundle saw of {modalities}: {task['title']}. "
            f"{'; '.join(about['origins'])}. The files themselves are not distributed."
        ),
        "license": NO_LICENSE,
        "version": "1.0.0",
        "personalSensitiveInformation": "none: counts, shares and ranges alone",
        "recordSet": [
            _records("parts", "Images, studies and patients of each part.", _parts(runs)),
            _records("findings", "What is labeled, and its share in training.", _findings(about)),
            _records("features", "Ranges of headers of the studies learned.", _features(about)),
        ],
    }


def _parts(runs: Sequence[JsonObject]) -> list[JsonObject]:
    return [
        {"run": number, "part": part, **{name: int(run[part][name]) for name in COUNTS}}
        for number, run in enumerate(runs)
        for part in PARTS
        if part in run
    ]


def _findings(about: JsonObject) -> list[JsonObject]:
    prior: Mapping[str, float] = about["prior"]
    return [
        {
            "name": one["name"],
            "level": one["level"],
            "description": one["description"],
            "share": float(prior.get(one["name"], float("nan"))),
        }
        for one in about["task"]["findings"]
        if one["name"] in prior
    ]


def _features(about: JsonObject) -> list[JsonObject]:
    found: list[JsonObject] = []
    for number, bounds in enumerate(about["bounds"]):
        if bounds is None:
            continue
        for name, (low, high) in bounds["ranges"].items():
            trait = NUMBERS[name]
            values = f"{low:.6g} to {high:.6g} {trait.unit}".strip()
            found.append({"run": number, "name": trait.words, "values": values})
        for name, known in bounds["words"].items():
            found.append({"run": number, "name": WORDS[name], "values": ", ".join(known)})
    return found


def _records(name: str, description: str, records: Sequence[JsonObject]) -> JsonObject:
    """Put records of equal keys into the form of a record set with its data in it."""
    kinds = {int: "sc:Integer", float: "sc:Float", str: "sc:Text"}
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{name}/{key}",
            "name": f"{name}/{key}",
            "dataType": kinds[type(value)],
        }
        for key, value in (records[0] if records else {"name": ""}).items()
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": description,
        "field": fields,
        "data": [{f"{name}/{key}": value for key, value in one.items()} for one in records],
    }
