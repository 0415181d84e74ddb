"""tests/cli/test_segment.py: `wetread segment`: JSON alone on stdout, a line a mask, and
exit codes that tell."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nibabel", reason="nibabel is not installed")
pytest.importorskip("skimage", reason="scikit-image is not installed")


def test_json_is_alone_on_stdout_and_has_every_mask(here, phantoms, tmp_path: Path) -> None:
    study = phantoms.rows.filter(phantoms.rows["study_number"] == 2)
    files = [phantoms.images / f"{image}.dcm" for image in study["image"]]
    ended = here("segment", "body", *files, "-o", tmp_path, "--workers", 1, "--json")
    assert ended.returncode == 0
    told = json.loads(ended.stdout)
    assert len(told["series"]) == 1
    assert told["rejects"] == []
    for entry in told["series"]:
        assert entry["organ"] == "body"
        assert {"series_uid", "study_uid", "issues", "provenance"} <= set(entry)
        for mask in entry["masks"]:
            assert {"name", "volume_ml", "box", "files"} <= set(mask)
            assert all(Path(path).exists() for path in mask["files"].values())


def test_a_series_that_cannot_be_segmented_is_a_line_and_exit_code_3(
    here, archive: Path, tmp_path: Path
) -> None:
    ended = here("segment", "body", archive, "-o", tmp_path / "out", "--workers", 1)
    assert ended.returncode == 3
    assert "no_geometry" in ended.stdout
    assert ended.stdout.rstrip().endswith("refused")
    assert (tmp_path / "out" / "rejects.csv").read_text().count("no_geometry") >= 1


def test_an_unknown_organ_is_wrong_use_and_names_the_known(here, archive: Path, tmp_path) -> None:
    ended = here("segment", "soul", archive, "-o", tmp_path / "out")
    assert ended.returncode == 2
    known = "airway, body, bone, brain, lungs"
    assert ended.stderr.startswith(f"wetread: no organ 'soul'; there are: {known}")


def test_segmenting_loads_no_torch() -> None:
    code = "import sys, wetread.verbs.segment.segment; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
