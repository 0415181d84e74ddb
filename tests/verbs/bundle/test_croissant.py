"""tests/verbs/bundle/test_croissant.py: the data that were seen, in Croissant's form."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import wetread
from wetread.verbs.bundle.croissant import croissant


@pytest.fixture(scope="module")
def about(slices_run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("croissant") / "bundle"
    wetread.bundle(slices_run("hemorrhage", "compact").folder, out)
    written = json.loads((out / "croissant.json").read_text())
    found = json.loads((out / "bundle.json").read_text())
    assert written == croissant(found)
    return found


def test_it_has_the_keys_that_the_format_requires(about: Any) -> None:
    found = croissant(about)
    for key in ("@context", "@type", "conformsTo", "name", "description", "license", "recordSet"):
        assert found[key], key
    for records in found["recordSet"]:
        names = [field["@id"] for field in records["field"]]
        assert len(names) == len(set(names))
        assert all(list(row) == names for row in records["data"])


def test_counts_and_ranges_are_those_of_the_run(about: Any) -> None:
    word = {"ranges": {"slices": [20.0, 34.0]}, "words": {"modality": ["CT"]}}
    parts, findings, features = croissant(about | {"bounds": [word]})["recordSet"]
    assert [row["parts/images"] for row in parts["data"]] == [12, 12, 12]
    assert [row["findings/name"] for row in findings["data"]][-1] == "any"
    assert {row["findings/share"] for row in findings["data"]} == {0.1}
    values = [row["features/values"] for row in features["data"]]
    assert values[0].startswith("20 to 34")
    assert values[1] == "CT"


@pytest.mark.filterwarnings("ignore")  # of what Croissant recommends and no run knows
def test_mlcroissant_finds_no_error(about: Any) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="needs mlcroissant")
    records = mlcroissant.Dataset(jsonld=croissant(about)).records("parts")
    assert [row["parts/studies"] for row in records] == [2, 2, 2]
