"""tests/test_notebook.py: the notebook of first steps runs, and its nouns show themselves."""

import os
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs nbformat (extra dev)")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient (extra dev)")
pytest.importorskip("ipykernel", reason="needs ipykernel (extra dev)")

pytestmark = pytest.mark.timeout(600)  # it learns twice, also on a machine that is busy
ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "docs" / "notebooks" / "first_steps.ipynb"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The code of each cell, and what the notebook shows below it."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=environment)
    return {
        cell.source: "".join(
            str(value) for output in cell.outputs for value in output.get("data", {}).values()
        )
        for cell in notebook.cells
        if cell.cell_type == "code"
    }


@pytest.mark.filterwarnings("default")  # of the kernel's own libraries
def test_ten_cells_run_from_an_archive_to_readings(shown: dict[str, str]) -> None:
    assert len(shown) == 10
    outputs = list(shown.values())
    assert all(outputs)
    index, volume, reading = outputs[2], outputs[4], outputs[9]
    assert "<td>CT</td>" in index
    assert "data:image/png;base64," in volume
    assert "<caption>Study " in reading
    assert "Research use only, not for diagnosis" in reading


@pytest.mark.filterwarnings("default")
def test_its_scores_are_numbers_beside_their_intervals(shown: dict[str, str]) -> None:
    (table,) = [text for code, text in shown.items() if 'find("roc_auc"' in code]
    assert "<td>roc_auc</td><td>any</td><td>image</td><td>out_of_fold</td><td>0." in table


def test_the_notebook_is_kept_without_outputs() -> None:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
