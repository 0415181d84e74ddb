"""tests/verbs/explore/test_explore.py: planted faults are found and named; clean archives are not
accused."""

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pydicom
import pytest

import wetread
from wetread.archive.index.schema import INDEX_SCHEMA, REJECT_SCHEMA
from wetread.labels.table import LabelError
from wetread.outputs.nifti import write_nifti
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.phantoms.head.archive import write_head_archive
from wetread.study.placement import stack_placement
from wetread.study.series import series_slices
from wetread.survey.warning import SurveyWarning
from wetread.verbs.explore.exploration import Exploration

if TYPE_CHECKING:
    from wetread.verbs.train.train import TrainResult

WriteCt = Callable[..., Path]


def names(found: Exploration) -> set[str]:
    return {warning.name for warning in found.warnings}


def warning(found: Exploration, name: str) -> SurveyWarning:
    (one,) = [one for one in found.warnings if one.name == name]
    return one


@pytest.fixture(scope="module")
def index(phantoms: PhantomTruth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("i") / "i.parquet"
    wetread.index(phantoms.images, path, workers=1)
    return path


@pytest.fixture(scope="module")
def clean(
    phantoms: PhantomTruth, index: Path, tmp_path_factory: pytest.TempPathFactory
) -> Exploration:
    out = tmp_path_factory.mktemp("page")
    return wetread.explore(
        index, out=out / "page.html", labels=phantoms.labels, csv=out / "tables", workers=1
    )


def test_of_clean_phantoms_nothing_is_reported(clean: Exploration) -> None:
    assert clean.warnings == ()
    assert (clean.leaks, clean.refused) == (0, 0)


def test_the_numbers_are_those_of_the_index_and_of_the_label_file(
    clean: Exploration, phantoms: PhantomTruth, index: Path
) -> None:
    table = wetread.read_index(index).images
    assert clean.counts["images"] == table.height
    assert clean.counts["patients"] == table["PatientID"].n_unique()
    raw = pl.read_csv(phantoms.labels).with_columns(finding=pl.col("ID").str.split("_").list.last())
    expected = dict(raw.group_by("finding").agg(pl.col("Label").sum()).iter_rows())
    counts = clean.tables["label_counts"]
    assert dict(counts.select("finding", "positive").iter_rows()) == expected
    shares = clean.tables["label_shares"].filter(pl.col("unit") == "label row")
    assert shares["share"][0] == pytest.approx(raw["Label"].mean())


def test_a_nifti_mask_labels_the_images_of_its_series_and_needs_a_task_and_an_archive(
    index: Path, tmp_path: Path
) -> None:
    pytest.importorskip("nibabel")
    rows = series_slices(wetread.read_index(index).images)[0]
    drawn = np.zeros((rows.height, *rows.select("Rows", "Columns").row(0)), np.uint8)
    drawn[2:5, 10:20, 10:20] = 1
    mask = tmp_path / "blood.nii.gz"
    write_nifti(mask, drawn, stack_placement(rows).affine)
    given = f"{mask}:any"
    found = wetread.explore(
        index, out=tmp_path / "page.html", labels=given, task="hemorrhage", pixels=0
    )
    row = found.tables["label_counts"].row(by_predicate=pl.col("finding") == "any", named=True)
    assert (row["positive"], row["negative"]) == (3, rows.height - 3)
    with pytest.raises(ValueError, match="give `task`"):
        wetread.explore(index, out=tmp_path / "none.html", labels=given)
    with pytest.raises(LabelError, match="grid of a series"):
        wetread.explore(out=tmp_path / "none.html", labels=given, task="hemorrhage")
    assert not (tmp_path / "none.html").exists()


def test_json_and_csv_have_what_the_page_has(clean: Exploration) -> None:
    values = json.loads(json.dumps(clean.to_dict()))
    assert set(values) == {"counts", "warnings", "tables"}
    assert clean.page is not None
    folder = clean.page.parent / "tables"
    assert {path.stem for path in folder.iterdir()} == set(clean.tables)
    assert pl.read_csv(folder / "label_counts.csv").height == clean.tables["label_counts"].height
    page = clean.page.read_text()
    for words in ("The archive", "The values", "The labels", "Pictures", "None of what was looked"):
        assert words in page


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_browser_shows_the_page_without_a_message_or_a_request(
    clean: Exploration, browser: Any, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, heard = context.new_page(), []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: heard.append(request.url))
    assert clean.page is not None
    page.goto(f"file://{clean.page}")
    assert [one for one in heard if not one.startswith("data:")] == [f"file://{clean.page}"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].every(image => image.alt)")
    assert page.evaluate("[...document.querySelectorAll('svg')].every(s => s.ariaLabel)")
    focusable = "a[href], button, summary, [tabindex='0']"
    visible = page.evaluate(
        f'[...document.querySelectorAll("{focusable}")].filter(e => e.checkVisibility()).length'
    )
    reached = 0
    for _ in range(visible + 1):
        page.keyboard.press("Tab")
        reached += page.evaluate("document.activeElement !== document.body")
    assert reached >= visible
    context.close()


def test_no_patient_is_named_anywhere(write_ct: WriteCt, tmp_path: Path) -> None:
    source = write_ct(3, PatientID="SECRET7")
    write_ct(2, PatientID="SECRET8", StudyInstanceUID="1.71")
    write_ct(2, PatientID="SECRET7", StudyInstanceUID="1.72")
    split = tmp_path / "split.csv"
    split.write_text("id,part\n1.7,train\n1.72,test\n1.71,test\n")
    found = wetread.explore(
        source, out=tmp_path / "page.html", csv=tmp_path / "csv", folds=split, against=source,
        workers=1,
    )  # fmt: skip
    written = [(tmp_path / "page.html").read_text(), json.dumps(found.to_dict())]
    written += [path.read_text() for path in (tmp_path / "csv").iterdir()]
    assert not any("SECRET" in text or "Secret" in text for text in written)


def test_a_patient_on_both_sides_of_a_split_is_found(write_ct: WriteCt, tmp_path: Path) -> None:
    source = write_ct(2, PatientID="p")
    write_ct(2, PatientID="p", StudyInstanceUID="1.72")
    write_ct(2, PatientID="q", StudyInstanceUID="1.73")
    for part_of_172, torn in (("test", True), ("train", False)):
        split = tmp_path / f"{torn}.json"
        split.write_text(
            json.dumps({"assignment": {"1.7": "train", "1.72": part_of_172, "1.73": "test"}})
        )
        found = wetread.explore(source, folds=split, pixels=0, workers=1)
        assert ("patient_in_two_parts" in names(found)) is torn
        assert found.leaks == int(torn)
    split.write_text("[]")
    with pytest.raises(wetread.DamagedFileError):
        wetread.explore(source, folds=split, workers=1)


def test_the_folds_of_a_run_keep_patients_apart(two_folds: "TrainResult", index: Path) -> None:
    found = wetread.explore(index, folds=two_folds.run / "folds.json", workers=1)
    assert "patient_in_two_parts" not in names(found)
    assert found.tables["parts"]["patients"].sum() == found.counts["patients"]


def test_patients_studies_and_images_in_both_archives_are_found(
    write_ct: WriteCt, tmp_path: Path
) -> None:
    source = write_ct(2, PatientID="p")
    write_ct(2, PatientID="q", StudyInstanceUID="1.72")
    other = tmp_path / "other"
    other.mkdir()
    dataset = pydicom.dcmread(source / "0-000.dcm")
    dataset.save_as(other / "copy.dcm")
    dataset.SOPInstanceUID = pydicom.uid.UID("1.9.99")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.PixelData = np.full((20, 24), 77, np.int16).tobytes()
    dataset.save_as(other / "next.dcm")
    found = wetread.explore(source, against=other, workers=1)
    assert {"patient_in_two_sources", "study_in_two_sources", "image_in_two_sources"} <= names(
        found
    )
    assert found.leaks >= 3


def test_a_conflicting_label_a_broken_rule_and_ids_that_meet_nothing_are_found(
    phantoms: PhantomTruth, index: Path, tmp_path: Path
) -> None:
    lines = phantoms.labels.read_text().splitlines()
    image = lines[1].rsplit("_", 1)[0]
    of_image = [line for line in lines if line.startswith(f"{image}_")]
    flipped = [line[:-1] + str(1 - int(line[-1])) for line in of_image if "_any," not in line][:1]
    contradiction = [f"{image}_any,0", f"{image}_subdural,1"]
    labels = tmp_path / "labels.csv"
    kept = [line for line in lines if not line.startswith((f"{image}_any", f"{image}_subdural"))]
    labels.write_text("\n".join([*kept, *flipped, *contradiction, "ID_elsewhere_any,1"]) + "\n")
    found = wetread.explore(index, labels=labels, workers=1)
    assert {"label_conflict", "rule_broken", "label_without_file"} <= names(found)
    assert image in warning(found, "label_conflict").examples
    assert image in warning(found, "rule_broken").examples
    assert warning(found, "label_without_file").count == 1


def test_a_custom_label_file_of_ct_images_is_read_by_a_drafted_task(
    phantoms: PhantomTruth, index: Path, tmp_path: Path
) -> None:
    """The draft looks at pixels, and needs whole rows of the index."""
    images = wetread.read_index(index).images["SOPInstanceUID"].to_list()
    labels = tmp_path / "mine.csv"
    rows = [f"{image},{number % 3 % 2}" for number, image in enumerate(images)]
    labels.write_text("\n".join(["SOPInstanceUID,bleed", *rows]) + "\n")
    found = wetread.explore(index, labels=labels, pixels=0, workers=1)
    counts = found.tables["label_counts"]
    assert counts.select("finding", "positive", "negative").rows() == [
        ("bleed", len(range(1, len(images), 3)), len(images) - len(range(1, len(images), 3)))
    ]


def test_reader_files_are_kept_apart_from_labels_and_from_each_other(
    phantoms: PhantomTruth, tmp_path: Path
) -> None:
    files = [tmp_path / f"{word}.csv" for word in ("ich", "shift")]
    for file in files:
        word = file.stem
        file.write_text(f"name,A:{word},B:{word}\ns1,1,1\ns2,0,1\ns3,0,0\n")
    found = wetread.explore(labels=[phantoms.labels, *files])
    assert set(found.tables["label_counts"]["finding"]) > {"any", "subdural"}
    assert found.tables["kappa"]["finding"].unique().to_list() == ["ich"]
    assert found.tables["kappa_2"]["finding"].unique().to_list() == ["shift"]
    empty = tmp_path / "empty.csv"
    empty.write_text("name,A:ich,B:ich\n")
    assert wetread.explore(labels=[phantoms.labels, empty]).tables["kappa"].is_empty()


def test_a_split_of_another_archive_is_refused_and_studies_prove_no_patients(
    write_ct: WriteCt, tmp_path: Path
) -> None:
    source = write_ct(2, PatientID="p")
    split = tmp_path / "split.csv"
    split.write_text("id,part\nelsewhere,train\n")
    with pytest.raises(LabelError, match="none of its 1 ids is a patient"):
        wetread.explore(source, folds=split, pixels=0, workers=1)
    page = tmp_path / "page.html"
    split.write_text("id,part\n1.7,train\n")
    wetread.explore(source, folds=split, patients="study", pixels=0, workers=1, out=page)
    assert "patients in two parts (each study is taken for a patient" in page.read_text()


def test_pixel_checks_are_not_claimed_when_no_image_can_be_read(
    write_ct: WriteCt, tmp_path: Path
) -> None:
    source = write_ct(2)
    wetread.index(source, tmp_path / "i.parquet", workers=1)
    for file in source.iterdir():
        file.unlink()
    page = tmp_path / "page.html"
    wetread.explore(tmp_path / "i.parquet", out=page, workers=1)
    assert "faults of the values (no image could be read)" in page.read_text()
    assert "the same pixels under other ids (no image could be read)" in page.read_text()


def test_labels_of_patients_are_counted_and_no_patient_is_shown(tmp_path: Path) -> None:
    task, labels = tmp_path / "mine.toml", tmp_path / "labels.csv"
    task.write_text(
        'modalities = ["CT"]\n[[findings]]\nname = "a"\n[[findings]]\nname = "b"\n'
        '[[groups]]\nexactly_one = ["a", "b"]\n[[labels]]\nid = "who"\nid_of = "patient"\n'
    )
    labels.write_text("who,a,b\nJANE1,1,1\nJANE2,1,0\n")
    found = wetread.explore(labels=labels, task=task)
    assert warning(found, "rule_broken").count == 1
    assert "JANE" not in json.dumps(found.to_dict())


def test_a_clinical_table_shows_no_name_and_no_date_of_birth(tmp_path: Path) -> None:
    file = tmp_path / "clinical.csv"
    lines = [f"p{n},Jane {n},19{50 + n}-01-02,{8800000 + n},{'FM'[n % 2]}" for n in range(6)]
    file.write_text("\n".join(["id,PatientName,birth,number,sex", *lines]) + "\n")
    page = tmp_path / "page.html"
    found = wetread.explore(clinical=file, key="id", out=page)
    shown = json.dumps(found.to_dict()) + page.read_text()
    assert not any(word in shown for word in ("Jane", "1951", "8800001"))
    assert set(found.tables["table_groups"]["value"]) == {"F", "M"}


def test_a_label_file_that_a_task_almost_reads_says_what_is_wrong_with_it(
    phantoms: PhantomTruth, tmp_path: Path
) -> None:
    lines = phantoms.labels.read_text().splitlines()
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join([*lines[:8], f"{lines[8].rsplit(',', 1)[0]},7"]) + "\n")
    with pytest.raises(LabelError, match=r"line 9.*'7'"):
        wetread.explore(labels=labels)


def test_ids_damaged_by_strip_are_named_with_the_damage(
    phantoms: PhantomTruth, index: Path, tmp_path: Path
) -> None:
    lines = phantoms.labels.read_text().splitlines()
    damaged = tmp_path / "labels.csv"
    rows = []
    for line in lines[1:]:
        image, rest = line.rsplit("_", 1)
        rows.append(f"{f'{image}.dcm'.strip('.dcm')}_{rest}")
    damaged.write_text("\n".join([lines[0], *rows]) + "\n")
    found = wetread.explore(index, labels=damaged, workers=1)
    one = warning(found, "ids_damaged")
    assert "strip('.dcm')" in one.detail
    lost = {row.rsplit("_", 1)[0] for row in rows} - {line.rsplit("_", 1)[0] for line in lines}
    assert one.count == len(lost)


def test_ids_that_meet_after_a_repair_are_listed(
    phantoms: PhantomTruth, index: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.csv"
    text = phantoms.labels.read_text().splitlines()
    image = text[1].rsplit("_", 1)[0]
    labels.write_text("\n".join(line.replace(f"{image}_", f"{image}.dcm_") for line in text) + "\n")
    found = wetread.explore(index, labels=labels, workers=1)
    assert found.tables["repaired_ids"].rows() == [(f"{image}.dcm", image)]
    assert names(found) == set()


def test_headers_that_name_nobody_are_warned_of_and_a_file_of_patients_ends_it(
    write_ct: WriteCt, tmp_path: Path
) -> None:
    source = write_ct(1, PatientID="a")
    write_ct(1, PatientID="b", StudyInstanceUID="1.72")
    found = wetread.explore(source, workers=1)
    assert "patient_unknown" in names(found)
    assert found.counts["patients"] is None
    patients = tmp_path / "patients.csv"
    patients.write_text("image,patient\n1.9.0.0,p\n1.9.1.0,p\n")
    found = wetread.explore(source, patients=patients, workers=1)
    assert "patient_unknown" not in names(found)


def test_a_wrong_intercept_is_found_with_pictures_of_both(
    phantoms: PhantomTruth, index: Path, tmp_path: Path
) -> None:
    rows = wetread.read_index(index).images.select("path", "SeriesInstanceUID").rows()
    wrong = rows[0][1]
    (tmp_path / "archive").mkdir()
    for number, (path, series) in enumerate(rows):
        dataset = pydicom.dcmread(path)
        if series == wrong:
            dataset.RescaleIntercept = float(dataset.RescaleIntercept) + 1024
        dataset.save_as(tmp_path / "archive" / f"{number}.dcm")
    found = wetread.explore(tmp_path / "archive", out=tmp_path / "page.html", workers=1)
    assert warning(found, "wrong_intercept").examples == (wrong,)
    page = (tmp_path / "page.html").read_text()
    assert "by the header" in page
    assert "as it is read" in page


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_a_copy_and_a_flipped_copy_under_other_ids_are_found_and_shown(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    drawn = write_head_archive(tmp_path / "p", 1, 3, size=192, progress=lambda done, total: None)
    for number, path in enumerate(sorted(drawn.images.rglob("*.dcm"))[::3]):
        dataset = pydicom.dcmread(path)
        dataset.save_as(folder / f"{number}.dcm")
        if number in (2, 5):  # a copy, and a copy that is flipped left to right
            pixels = dataset.pixel_array if number == 2 else dataset.pixel_array[:, ::-1]
            dataset.PixelData = np.ascontiguousarray(pixels).tobytes()
            for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
                setattr(dataset, keyword, pydicom.uid.UID(f"1.2.3.{number}"))
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dataset.PatientID = f"other-{number}"
            dataset.save_as(folder / f"copy-{number}.dcm")
    found = wetread.explore(folder, out=tmp_path / "page.html", workers=1)
    assert "1.2.3.2" in warning(found, "same_pixels").examples
    similar = warning(found, "similar_pixels")
    assert similar.count == 1
    assert "1.2.3.5" in similar.examples[0]
    assert found.leaks == 0  # they are on one side
    assert "Perhaps the same image" in (tmp_path / "page.html").read_text()


def test_a_label_explained_by_the_manufacturer_is_a_shortcut(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    maker = rng.choice(["A", "B"], 160)
    rows = [
        {
            "state": "image", "path": f"/gone/{n}.dcm", "SOPInstanceUID": f"image-{n}",
            "SeriesInstanceUID": f"series-{n}", "StudyInstanceUID": f"study-{n}",
            "PatientID": f"P{n // 2}", "Modality": "CT", "Manufacturer": maker[n],
            "size": int(rng.integers(1000, 2000)), "Rows": 8, "Columns": 8, "BitsAllocated": 16,
            "BitsStored": 16, "PixelRepresentation": 0, "SamplesPerPixel": 1,
        }
        for n in range(160)
    ]  # fmt: skip
    index = tmp_path / "index.parquet"
    pl.DataFrame(rows, schema=INDEX_SCHEMA).write_parquet(index)
    for name, schema in (("rejects", REJECT_SCHEMA), ("duplicates", INDEX_SCHEMA)):
        pl.DataFrame(schema=schema).write_parquet(tmp_path / f"index.{name}.parquet")
    labels = tmp_path / "labels.csv"
    lines = [f"image-{n}_any,{int(one == 'B')}" for n, one in enumerate(maker)]
    labels.write_text("\n".join(["ID,Label", *lines]) + "\n")
    found = wetread.explore(index, labels=labels, workers=1)
    one = warning(found, "shortcut")
    assert one.examples[0] == "Manufacturer"
    assert "any by image" in one.detail


def test_a_reader_who_disagrees_is_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    true = rng.random(200) < 0.4
    noise = [np.where(rng.random(200) < 0.96, true, ~true) for _ in range(2)]
    chance = rng.random(200) < 0.4
    columns = {
        f"{name}:ICH": calls.astype(int)
        for name, calls in zip("ABC", [*noise, chance], strict=True)
    }
    file = tmp_path / "reads.csv"
    pl.DataFrame({"name": [f"s{n}" for n in range(200)], **columns}).write_csv(file)
    found = wetread.explore(labels=file, out=tmp_path / "page.html")
    one = warning(found, "readers_disagree")
    assert one.examples == ("C and the others: ICH",)


def test_a_clinical_table_meets_the_archive(write_ct: WriteCt, tmp_path: Path) -> None:
    source = write_ct(2, PatientID="p")
    write_ct(2, PatientID="q", StudyInstanceUID="1.72")
    write_ct(2, PatientID="p", StudyInstanceUID="1.73")
    file = tmp_path / "clinical.csv"
    file.write_text("Patient,Weeks,FVC\np,0,2000\np,5,1900\nr,0,1\nr,5,3\n")
    found = wetread.explore(
        source, clinical=file, key="Patient", out=tmp_path / "p.html", workers=1
    )
    assert found.tables["table_over_time"]["ids"].to_list() == [2]
    assert "1 of them name patients of the archive" in (tmp_path / "p.html").read_text()
    with pytest.raises(LabelError, match="no column 'Name'"):
        wetread.explore(clinical=file, key="Name")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "nothing to explore"),
        ({"labels": "x.csv", "folds": "f.json"}, "`folds` is held against an archive"),
        ({"labels": "x.csv", "out": "page.txt"}, "ends in .html"),
        ({"labels": "x.csv", "key": "id"}, "give `clinical` and `key`"),
        ({"sources": "missing"}, "missing does not exist"),
        ({"sources": "missing", "pixels": -1}, "`pixels` is -1"),
    ],
)
def test_arguments_that_need_each_other_are_asked_for(given: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        wetread.explore(**given)


def test_real_tables_of_embolism_have_their_known_prevalences(real_data: Path) -> None:
    file = real_data / "embolism" / "exam_labels.csv"
    found = wetread.explore(labels=file)
    counts = found.tables["label_counts"].rows_by_key("finding", named=True, unique=True)
    for finding, positive in {
        "negative_exam_for_pe": 4911, "indeterminate": 157, "positive_exam": 2211,
        "rightsided_pe": 1875, "leftsided_pe": 1544, "central_pe": 401, "chronic_pe": 292,
        "acute_and_chronic_pe": 145, "rv_lv_ratio_gte_1": 940, "rv_lv_ratio_lt_1": 1271,
    }.items():  # fmt: skip
        assert counts[finding]["positive"] == positive
    assert found.warnings == ()  # its rules hold in all 7,279 exams


def test_a_rule_of_embolism_that_is_broken_is_found(real_data: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(real_data / "embolism" / "exam_labels.csv", infer_schema=False)
    positive = frame.with_row_index().filter(
        (pl.col("negative_exam_for_pe") == "0") & (pl.col("indeterminate") == "0")
    )["index"][0]
    sides = ["leftsided_pe", "rightsided_pe", "central_pe"]
    broken = frame.with_columns(
        pl.when(pl.int_range(pl.len()) == positive).then(pl.lit("0")).otherwise(name).alias(name)
        for name in sides
    )
    broken.write_csv(tmp_path / "labels.csv")
    found = wetread.explore(labels=tmp_path / "labels.csv")
    study = frame["StudyInstanceUID"][int(positive)]
    assert warning(found, "rule_broken").examples == (study,)
    assert "1b" in warning(found, "rule_broken").detail


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("google2019_nih-chest-xray-labels.csv.gz", {"Pneumothorax", "Fracture"}),
        ("Data_Entry_2017_v2020.csv.gz", {"Hernia", "Mass", "Pneumonia"}),
    ],
)
def test_real_tables_of_films_have_the_counts_of_an_independent_count(
    real_data: Path, file: str, expected: set[str]
) -> None:
    path = real_data / "radiograph_labels" / file
    counts = wetread.explore(labels=path).tables["label_counts"]
    positive = dict(counts.select("finding", "positive").iter_rows())
    with gzip.open(path, "rt") as lines:
        rows = list(csv.DictReader(lines))
    for word in expected:
        joined = sum(word in row["Finding Labels"].split("|") for row in rows)
        count = sum(row[word] == "YES" for row in rows) if word in rows[0] else joined
        assert positive[word.lower()] == count
