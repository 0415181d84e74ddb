"""tests/inputs/test_patients.py: patients of slices, and an order that no key changes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from wetread.archive.identity.pseudonym import pseudonym
from wetread.archive.identity.user_key import UserKey
from wetread.archive.index.index import Index
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.inputs.patients import (
    asks_for_study,
    assign_patients,
    describe_folds,
    name_by_deal_order,
    patients_by_image,
)
from wetread.study.patients import Identity
from wetread.training.folds import make_folds

KEY = UserKey(b"1" * 32)


@dataclass(frozen=True)
class Slices:
    """The columns of a store that count here."""

    slices: pl.DataFrame


@pytest.fixture
def stores() -> Any:
    """Two crops of six slices of three studies, whose headers name two patients."""
    slices = pl.DataFrame(
        {
            "SOPInstanceUID": [f"i{k}" for k in range(6)],
            "SeriesInstanceUID": [f"r{k // 2}" for k in range(6)],
            "StudyInstanceUID": [f"s{k // 2}" for k in range(6)],
            "patient": ["zoe"] * 2 + ["adam"] * 4,
        }
    )
    return (Slices(slices), Slices(slices))


@pytest.fixture
def archive() -> Index:
    return Index(pl.DataFrame(schema=INDEX_SCHEMA).lazy(), pl.DataFrame(), 0)


def test_headers_name_the_patients_who_are_ordered_by_name(
    stores: Any, archive: Index, tmp_path: Path
) -> None:
    assigned, identity = assign_patients(stores, archive, None, None, tmp_path)
    for store in assigned:
        assert store.slices["patient"].to_list() == ["zoe"] * 2 + ["adam"] * 4
        assert store.slices["patient_order"].to_list() == [1] * 2 + [0] * 4
    assert identity == Identity("patient", "the headers' PatientID")


def test_a_file_s_patients_stand_in_their_place_in_the_same_order_under_a_key(
    stores: Any, archive: Index, tmp_path: Path
) -> None:
    names = ["b", "b", "a", "a", "c", "c"]
    rows = "".join(f"i{k},{name}\n" for k, name in enumerate(names))
    (tmp_path / "p.csv").write_text(f"image,patient\n{rows}")
    file = tmp_path / "p.csv"
    (clear, _), _ = assign_patients(stores, archive, file, None, tmp_path)
    (hidden, _), identity = assign_patients(stores, archive, file, KEY, tmp_path)
    assert clear.slices["patient"].to_list() == names
    assert hidden.slices["patient"].to_list() == [pseudonym(name, KEY) for name in names]
    order = [1, 1, 0, 0, 2, 2]
    assert clear.slices["patient_order"].to_list() == order
    assert hidden.slices["patient_order"].to_list() == order
    assert identity.proven


def test_a_file_that_lacks_an_image_is_refused(stores: Any, archive: Index, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("image,patient\ni0,a\n")
    with pytest.raises(ValueError, match=r"p\.csv: 5 images without a patient there, the first i1"):
        assign_patients(stores, archive, tmp_path / "p.csv", None, tmp_path)


def test_each_study_is_a_patient_where_that_is_asked_for(
    stores: Any, archive: Index, tmp_path: Path
) -> None:
    assert asks_for_study("study")
    assert not asks_for_study(tmp_path / "study.csv")
    (store, _), identity = assign_patients(stores, archive, "study", None, tmp_path)
    assert store.slices["patient"].to_list() == ["s0", "s0", "s1", "s1", "s2", "s2"]
    assert (identity.unit, identity.proven) == ("study", False)


def test_patients_are_dealt_in_the_order_of_the_run_that_is_gone_on_with(
    stores: Any, archive: Index, tmp_path: Path
) -> None:
    (tmp_path / "folds.json").write_text(json.dumps({"assignment": {"zoe": "0", "adam": "1"}}))
    (store, _), _ = assign_patients(stores, archive, None, None, tmp_path)
    assert store.slices["patient_order"].to_list() == [0] * 2 + [1] * 4


def test_names_in_a_table_become_places_in_the_deal(tmp_path: Path) -> None:
    (tmp_path / "folds.json").write_text(json.dumps({"assignment": {"zoe": "0", "adam": "1"}}))
    table = pl.DataFrame({"patient": ["adam", "zoe", "adam"]})
    named = name_by_deal_order(table, tmp_path)["patient"].to_list()
    assert named == ["000000001", "000000000", "000000001"]


def test_folds_have_their_proof_only_where_patients_are_known() -> None:
    patients = [f"p{k}" for k in range(8)]
    plan = make_folds(patients, pl.Series([0.0, 1.0] * 4).to_numpy()[:, None], 2, 0)
    known = describe_folds(plan, Identity("patient", "headers", caution="few"))
    assert known["proof"]["shared_patients"] == 0
    assert known["caution"] == "few"
    unknown = describe_folds(plan, Identity("study", "headers", reason="nobody is named"))
    assert unknown["proof"] is None
    assert unknown["balance"] == plan.proof["parts"]
    assert (unknown["identity"], unknown["reason"]) == ("study", "nobody is named")


def test_a_file_names_the_patients_of_images_and_of_studies(tmp_path: Path) -> None:
    file = tmp_path / "patients.csv"
    file.write_text("image,patient\ni0,Ada\ns1,Bo\nelsewhere,Cy\n")
    images = pl.DataFrame(
        {"SOPInstanceUID": ["i0", "i1", "i2"], "StudyInstanceUID": ["s0", "s1", "s2"]}
    )
    assert patients_by_image(images, file) == {"i0": "Ada", "i1": "Bo"}
    assert patients_by_image(images, None) == patients_by_image(images, "study") == {}
