"""tests/verbs/test_score.py: submissions as people save them against a truth file."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from wetread.labels.table import LabelError
from wetread.verbs.score import score

NAMES = ("epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any")
TRUTH = {"a": 1, "b": 0, "c": 1}
SAID = {"a": 0.75, "b": 0.25, "c": 0.5}


def written(path: Path, values: Mapping[str, float], end: str = "", separator: str = ",") -> Path:
    rows = [
        f"{image}{end}_{name}{separator}{value}"
        for image, value in values.items()
        for name in NAMES
    ]
    text = "\n".join([f"ID{separator}Label", *rows]) + "\n"
    path.write_text(text if separator == "," else text.replace(".", ",").replace(",dcm", ".dcm"))
    return path


def test_a_submission_with_endings_and_decimal_commas_gets_the_score_of_the_plain_one(
    tmp_path: Path,
) -> None:
    truth = written(tmp_path / "truth.csv", TRUTH)
    plain = score("hemorrhage", truth, written(tmp_path / "plain.csv", SAID))
    odd = written(tmp_path / "odd.csv", SAID, end=".dcm", separator=";")
    found = score("hemorrhage", truth, odd)
    assert found.scores == plain.scores
    assert (found.missing, found.too_many) == ((), ())
    assert found.to_dict()["ids_repaired"] == 3
    assert plain.to_dict()["ids_repaired"] == 0


def test_a_row_that_stands_twice_with_two_values_is_named_with_its_lines(tmp_path: Path) -> None:
    truth = written(tmp_path / "truth.csv", TRUTH)
    twice = written(tmp_path / "twice.csv", SAID)
    twice.write_text(twice.read_text() + "b_any,0.9\n")
    with pytest.raises(LabelError, match=r"twice\.csv: b has any twice.*\(lines 13, 20\)"):
        score("hemorrhage", truth, twice)
    with pytest.raises(LabelError, match=r"twice\.csv: b has any twice"):
        score("hemorrhage", twice, truth)
    twice.write_text(twice.read_text().replace("b_any,0.9", "b.png_any,0.9"))
    with pytest.raises(LabelError, match=r"b has any twice, with unequal values \(lines 13\)"):
        score("hemorrhage", truth, twice)


def test_images_of_patients_with_endings_meet(tmp_path: Path) -> None:
    truth, said = (written(tmp_path / f"{k}.csv", v) for k, v in (("t", TRUTH), ("s", SAID)))
    (tmp_path / "p.csv").write_text("image;patient\na.dcm;p\nb.dcm;q\ntrain/c.dcm;q\n")
    found = score("hemorrhage", truth, said, patients=tmp_path / "p.csv")
    assert max(one.patients for one in found.scores) == 2
    assert found.ids_repaired == 3


def test_one_s_own_table_is_a_truth_too(tmp_path: Path) -> None:
    plain = score(
        "hemorrhage", written(tmp_path / "truth.csv", TRUTH), written(tmp_path / "s.csv", SAID)
    )
    own = tmp_path / "own.csv"
    own.write_text("image,bleed\n" + "".join(f"{name},{value}\n" for name, value in TRUTH.items()))
    columns = {"id": "image", **dict.fromkeys(NAMES, "bleed")}
    found = score("hemorrhage", own, tmp_path / "s.csv", columns=columns)
    assert found.scores == plain.scores
    named = score("hemorrhage", f"{own}:bleed", tmp_path / "s.csv")
    assert {one.finding for one in named.scores if one.value is not None} <= {"any", "all"}
