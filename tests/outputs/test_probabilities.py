"""tests/outputs/test_probabilities.py: every probability is a row."""

from pathlib import Path

import polars as pl

from wetread.outputs.probabilities import write_probabilities
from wetread.prediction.reading import Reading


def test_the_table_of_probabilities_has_every_study_and_image(
    tmp_path: Path, readings: list[Reading]
) -> None:
    write_probabilities(readings, tmp_path / "p.csv")
    table = pl.read_csv(tmp_path / "p.csv", schema_overrides={"id": pl.String})
    assert table.columns == ["level", "id", "finding", "probability"]
    assert table.height == 2 * (2 + 3)
    assert table.row(0) == ("study", "1.2.3", "lens", 0.02)
    assert table.filter(id="ID_c", finding="any")["probability"].to_list() == [0.9]
