"""tests/cli/test_explore.py: the command explore: its lines, its JSON, its exit codes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import wetread
from wetread.cli.main import app
from wetread.phantoms.dicom.archive import PhantomTruth

RUN = CliRunner()


@pytest.fixture(scope="module")
def index(phantoms: PhantomTruth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("i") / "i.parquet"
    wetread.index(phantoms.images, path, workers=1)
    return path


def test_the_last_lines_say_how_many_warnings_and_where_the_page_is(
    index: Path, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    done = RUN.invoke(
        app,
        [
            "explore",
            str(index),
            "-o",
            str(page),
            "--labels",
            str(phantoms.labels),
            "--workers",
            "1",
        ],
    )
    assert done.exit_code == 0
    assert "0 warnings" in done.stdout
    assert "page:" in done.stdout
    assert page.is_file()


def test_json_has_counts_warnings_and_tables_and_nothing_else_on_stdout(index: Path) -> None:
    done = RUN.invoke(app, ["explore", str(index), "--json", "--pixels", "0", "--workers", "1"])
    values = json.loads(done.stdout)
    assert set(values) == {"counts", "warnings", "tables"}
    assert values["counts"]["images"] == wetread.read_index(index).counts()["instances"]


def test_strict_ends_with_3_where_the_same_patients_are_on_both_sides(index: Path) -> None:
    command = ["explore", str(index), "--against", str(index), "--pixels", "0", "--workers", "1"]
    assert RUN.invoke(app, command).exit_code == 0
    strict = RUN.invoke(app, [*command, "--strict"])
    assert strict.exit_code == 3
    assert "patient_in_two_sources" in strict.stdout
