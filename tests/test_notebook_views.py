"""tests/test_notebook_views.py: nouns show themselves in a notebook, and nobody."""

import re
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pydicom
import pytest

import wetread
from wetread.archive.identity.privacy import PATIENT_COLUMNS
from wetread.archive.rejects import Reject
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.prediction.reading import USE, Reading
from wetread.study.issue import Issue

# The phantoms have the ids of a competition, which are no UIDs.
pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
SECRET = "Zephyrine"
TEXTS = ("PatientName", "PatientID", "InstitutionName", "StudyDescription", "SeriesDescription",
         "AccessionNumber", "ReferringPhysicianName", "PatientComments")  # fmt: skip


@pytest.fixture(scope="module")
def archive(phantoms: PhantomTruth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One series whose header names a patient wherever it can, in a folder named after her."""
    folder = tmp_path_factory.mktemp("archive") / SECRET
    folder.mkdir()
    first = pydicom.dcmread(next(phantoms.images.rglob("*.dcm")), stop_before_pixels=True)
    for path in phantoms.images.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        if dataset.SeriesInstanceUID == first.SeriesInstanceUID:
            for keyword in TEXTS:
                setattr(dataset, keyword, SECRET)
            dataset.PatientBirthDate, dataset.PatientAge = "19311127", "093Y"
            dataset.save_as(folder / path.name)
    (folder / f"{SECRET}.txt").write_text("no DICOM")
    return folder


def shown(value: object) -> str:
    """Everything that a notebook may show of a value; its HTML is well formed."""
    html = value._repr_html_()  # type: ignore[attr-defined]
    closed = re.sub("(<img[^>]*)>", "\\1/>", html)
    ElementTree.fromstring(f"<div>{closed}</div>")
    text = re.sub('base64,[^"]*', "", html)
    return f"{value!r} {text}"


def test_an_index_shows_its_counts_and_nobody(archive: Path, tmp_path: Path) -> None:
    index = wetread.index(archive, tmp_path / "index.parquet", workers=1)
    assert SECRET in index.images[PATIENT_COLUMNS[0]].to_list()
    text = shown(index)
    assert SECRET not in text
    assert "19311127" not in text
    assert f"<td>CT</td><td>{index.images.height}</td><td>1</td><td>1</td>" in text
    assert "<td>not_dicom</td><td>1</td>" in text


def test_a_volume_shows_its_planes_and_nobody(archive: Path) -> None:
    volume = wetread.read_volume(archive, workers=1)
    assert "data:image/png;base64," in volume._repr_html_()
    text = shown(volume)
    assert SECRET not in text
    shape = " x ".join(map(str, volume.hu.shape))
    assert f"Volume({shape}, HU, {volume.spacing_mm[0]:.3g} x" in text


def test_a_reading_shows_its_probabilities_and_no_path() -> None:
    reading = Reading(
        study_uid="1.2.3",
        series_uid="1.2.3.4",
        slices=(),
        study={"any": 0.75, "<subdural>": 0.5},
        key_slices=("1.2.3.4.5",),
        provenance={"checkpoint": f"/archives/{SECRET}/best.pt"},
        issues=(Issue("gap", SECRET),),
        rejects=(Reject(f"/archives/{SECRET}/1.dcm", None, "empty", "no bytes"),),
        cautions=("never_scored_on_patients",),
    )
    html = reading._repr_html_()
    assert SECRET not in html
    for text in ("Study 1.2.3: read", "<td>any</td><td>0.750</td>", "&lt;subdural&gt;", USE,
                 "1.2.3.4.5", "gap", "never_scored_on_patients"):  # fmt: skip
        assert text in html
    assert "<subdural>" not in html


def test_an_unread_study_shows_why_and_no_number() -> None:
    reading = Reading("1.2.3", "", (), {}, (), {}, findings=("any",), reason="localizer")
    html = reading._repr_html_()
    assert "unread: localizer" in html
    assert "<td>any</td><td></td>" in html


def test_scores_show_themselves_as_a_table() -> None:
    score = wetread.Score("roc_auc", "any", "image", "held_out", 0.9, 0.8, 0.95, 40, 12)
    absent = wetread.Score("dice", "any", "pixel", "held_out", None, None, None, 0, 0, "no mask")
    scores = wetread.Scores([score, absent])
    assert scores.table.rows(named=True) == [score.to_dict(), absent.to_dict()]
    assert scores.find("dice") == (absent,)
    assert scores.find(level="image", finding="any") == (score,)
    assert scores.find("roc_auc", split="validation") == ()
    html = scores._repr_html_()
    assert "<td>roc_auc</td><td>any</td><td>image</td><td>held_out</td><td>0.900</td>" in html
    assert "no mask" in html
    assert "<th>reason</th>" not in wetread.Scores([score])._repr_html_()
    assert isinstance(wetread.Scores().table, pl.DataFrame)
