"""tests/verbs/test_blend.py: submissions of the same ids become one."""

from pathlib import Path

import polars as pl
import pytest

from wetread.labels.table import LabelError
from wetread.verbs.blend import blend


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("ID,Label\nx_any,0.2\ny_any,0.8\nx_rare,0.1\n")
    second.write_text("ID,Label\ny_any,0.4\nx_any,0.4\nx_rare,0.3\n")
    return [first, second]


def test_rows_are_met_by_id_and_stand_in_the_first_ones_order(
    two: list[Path], tmp_path: Path
) -> None:
    result = blend(two, tmp_path / "out.csv", weights=[3, 1])
    table = pl.read_csv(tmp_path / "out.csv")
    assert table.columns == ["ID", "Label"]
    assert table["ID"].to_list() == ["x_any", "y_any", "x_rare"]
    assert table["Label"].to_list() == pytest.approx([0.25, 0.7, 0.15])
    assert (result.rows, result.weights) == (3, (0.75, 0.25))


def test_ranks_are_taken_within_each_finding(two: list[Path], tmp_path: Path) -> None:
    blend(two, tmp_path / "out.csv", how="rank")
    table = pl.read_csv(tmp_path / "out.csv")
    assert table["Label"].to_list() == pytest.approx([0.375, 0.625, 0.5])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ID,Label\nx_any,0.4\ny_any,0.4\n", "b.csv: 1 id missing that .*a.csv has"),
        ("ID,Label\nx_any,0.4\ny_any,0.4\nx_rare,0\nz_any,1\n", "a.csv: 1 id missing that .*b.csv"),
        ("ID,Label\nx_any,\ny_any,0.4\nx_rare,0\n", "line 2, 'x_any', without a probability"),
        ("ID,Label\nx_any,1\nx_any,0.4\nx_rare,0\ny_any,0\n", "line 2, 'x_any', whose id stands"),
        ("ID,Label\nx_any,1.5\ny_any,0.4\nx_rare,0\n", "line 2, column 'Label'"),
        ("ImageId,EncodedPixels\nx,-1\n", "Masks cannot be blended"),
    ],
)
def test_what_cannot_be_blended_is_named(
    two: list[Path], tmp_path: Path, text: str, words: str
) -> None:
    two[1].write_text(text)
    with pytest.raises(LabelError, match=words):
        blend(two, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_one_file_is_refused(two: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 submission; give two or more"):
        blend(two[:1], tmp_path / "out.csv")
    with pytest.raises(ValueError, match="0 submissions; give two or more to blend, or one and"):
        blend([], tmp_path / "out.csv", remap={"all": 0.6})


def test_a_threshold_becomes_one_half(two: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    blend(two[:1], out, remap={"any": 0.64})
    any_x, any_y = 0.5 * 0.2 / 0.64, 1 - 0.5 * 0.2 / 0.36
    assert pl.read_csv(out)["Label"].to_list() == pytest.approx([any_x, any_y, 0.1])
    result = blend(two[:1], out, remap={"any": 0.64, "all": 0.2})
    assert result.to_dict()["remap"] == {"any": 0.64, "all": 0.2}
    assert pl.read_csv(out)["Label"].to_list() == pytest.approx([any_x, any_y, 0.25])


@pytest.mark.parametrize(
    ("thresholds", "words"),
    [
        ({"subdural": 0.6}, "`remap`: no row is of 'subdural'; of findings there are: any"),
        ({"any": 1.0}, "`remap`: any=1; give a number between 0 and 1"),
    ],
)
def test_a_threshold_that_cannot_be_used_is_named(
    two: list[Path], tmp_path: Path, thresholds: dict[str, float], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        blend(two, tmp_path / "out.csv", remap=thresholds)
