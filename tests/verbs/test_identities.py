"""tests/verbs/test_identities.py: no run and no prediction names a patient, and both still meet."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pydicom
import pytest

from wetread.archive.identity.pseudonym import pseudonym
from wetread.archive.identity.user_key import UserKey, user_key
from wetread.archive.index.index import build_index, read_index
from wetread.cli.text import patient_lines, run_lines
from wetread.inputs.archive import open_archive
from wetread.inputs.patients import assign_patients, describe_folds
from wetread.inputs.progress import silent
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.phantoms.head.archive import write_head_archive
from wetread.study.patients import Identity
from wetread.study.series import series_slices
from wetread.tasks import find_task
from wetread.training.data import LabeledSlices, plan_splits
from wetread.training.folds import FoldPlan
from wetread.verbs.pack import pack, pack_crops_of
from wetread.verbs.predict.predict import predict
from wetread.verbs.train.train import TrainResult, train

Learn = Callable[..., TrainResult]
Dealt = tuple[FoldPlan, Identity]
Deal = Callable[..., Dealt]
STUDIES = 6
PLANTED = {
    "PatientName": "Plantedname^Ida",
    "PatientBirthDate": "19310417",
    "OtherPatientIDs": "OTHERID7718",
    "PatientAddress": "Planted Street 5",
    "AccessionNumber": "ACC5520917",
    "InstitutionName": "Planted Hospital",
    "ReferringPhysicianName": "Plantedphysician",
    "StudyDate": "20190223",
    "StudyID": "STUDYID3301",
    "StudyDescription": "story of plantedname",
    "SeriesDescription": "HEAD of Plantedname",
    "StationName": "PLANTEDSTATION",
    "ContentTime": "112233.778",
    "AcquisitionTime": "112231.554",
    "ImageComments": "planted comment",
}
PREFIX = "MRN-"  # of every PatientID


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> PhantomTruth:
    """10 studies of phantoms whose headers name their patients in every way."""
    made = write_head_archive(
        tmp_path_factory.mktemp("named"), STUDIES, 5, size=64, progress=lambda done, total: None
    )
    for file in sorted(made.images.rglob("*.dcm")):
        dataset = pydicom.dcmread(file)
        dataset.PatientID = PREFIX + dataset.PatientID
        for keyword, value in PLANTED.items():
            setattr(dataset, keyword, value)
        dataset.save_as(file)
    return made


@pytest.fixture
def learn(truth: PhantomTruth, settings: tuple[str, ...], tmp_path: Path) -> Learn:
    def run(name: str = "run", **words: Any) -> TrainResult:
        words = {"source": [truth.images], "labels": [truth.labels], "folds": 2, **words}
        return train(
            "hemorrhage", out=tmp_path / name, settings=settings, workers=1, epochs=1, **words
        )

    return run


@pytest.fixture
def deal(tmp_path: Path) -> Deal:
    """deal(name, data, patients) -> the fold plan of a run, without learning anything."""
    task = find_task("hemorrhage")

    def plan(name: str, data: Path, patients: Path | str | None = None) -> Dealt:
        out, key = tmp_path / name, user_key()
        archive = open_archive([data], out, workers=1, report=silent, key=key)
        stores = pack_crops_of(series_slices(archive.images), out, task, size=16, workers=1)
        (store,), identity = assign_patients(stores, archive, patients, key, out)
        truth = np.zeros((len(store), len(task.findings)))
        dealt = LabeledSlices(store, np.arange(len(store)), truth, task.findings)
        return plan_splits(dealt, 2, seed=0)[0], identity

    return plan


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file of a folder as it lies, and every table as text."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            yield path, content
            if content[:4] == b"PAR1":
                rows = pl.read_parquet(path).select(pl.exclude(pl.Binary)).rows()
                yield path, repr(rows).encode()


def folds(result: TrainResult) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((result.run / "folds.json").read_text())
    return values


def test_a_run_and_what_predict_writes_hold_nothing_that_identifies(
    learn: Learn, truth: PhantomTruth, tmp_path: Path
) -> None:
    run = learn().run
    predict([truth.images], [run], tmp_path / "out", workers=1)
    secrets = [
        *PLANTED.values(),
        PREFIX,
        user_key().secret.hex(),
        str(11 * 3600 + 22 * 60 + 33.778),
    ]
    wanted = [text.encode() for text in secrets] + [user_key().secret]
    found = [
        (path.relative_to(tmp_path), text)
        for folder in (run, tmp_path / "out")
        for path, content in contents(folder)
        for text in wanted
        if text in content
    ]
    assert found == []
    tables = [path for path, _ in contents(tmp_path) if path.suffix == ".parquet"]
    assert len(set(tables)) >= 8
    index = read_index(run / "index.parquet").images
    assert set(index["PatientID"].str.head(16)) == {f"patient-{user_key().name}"}
    assert set(index["SeriesDescription"].str.head(9)) == {"head text"}


def test_a_store_that_is_packed_by_itself_names_nobody_but_on_request(
    truth: PhantomTruth, tmp_path: Path
) -> None:
    index, out = tmp_path / "i.parquet", tmp_path / "store"
    build_index([truth.images], index, workers=1)
    pack(index, out, size=16, workers=1)
    assert not any(PREFIX.encode() in content for _, content in contents(out))
    clear = pack(index, out, size=16, workers=1, clear_patients=True).slices["patient"]
    assert clear.str.starts_with(PREFIX).all()


def test_the_journal_of_an_index_that_was_killed_names_nobody(
    truth: PhantomTruth, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    def kill(done: int, total: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        build_index(
            [truth.images], tmp_path / "i.parquet", workers=1, progress=kill, key=user_key()
        )
    left = list(contents(tmp_path / "i.journal"))
    assert left
    assert not any(text.encode() in content for _, content in left for text in PLANTED.values())
    assert not any(PREFIX.encode() in content for _, content in left)


def test_folds_and_scores_are_the_same_clear_and_under_any_key(
    learn: Learn, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear, one = learn("clear", clear_patients=True), learn("one")
    assert all(patient.startswith(PREFIX) for patient in folds(clear)["assignment"])
    assert [*folds(one)["assignment"].values()] == [*folds(clear)["assignment"].values()]
    assert folds(one)["proof"] == folds(clear)["proof"]
    assert one.scores == clear.scores
    names = set(folds(one)["assignment"])
    monkeypatch.setenv("WETREAD_KEY", "another key of the tests")
    other = learn("one")  # goes on, and is called otherwise from now on
    assert other.scores == clear.scores
    assert [*folds(other)["assignment"].values()] == [*folds(clear)["assignment"].values()]
    assert not set(folds(other)["assignment"]) & names
    patients = read_index(other.run / "index.parquet").images["PatientID"]
    assert set(patients.str.head(16)) == {f"patient-{user_key().name}"}


def test_patients_are_dealt_alike_from_files_from_an_index_and_from_that_of_a_run(
    truth: PhantomTruth, deal: Deal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_index([truth.images], tmp_path / "own.parquet", workers=1)
    plan, _ = deal("run", truth.images)
    own, _ = deal("own", tmp_path / "own.parquet")
    assert own.assignment == plan.assignment
    monkeypatch.setenv("WETREAD_KEY", "another key of the tests")
    given, _ = deal("given", tmp_path / "run" / "index.parquet")
    assert given.assignment == plan.assignment  # the names are those of the run
    other, _ = deal("other", truth.images)
    assert [*other.assignment.values()] == [*plan.assignment.values()]
    assert not set(other.assignment) & set(plan.assignment)


def test_a_file_of_patients_meets_the_headers(
    truth: PhantomTruth, deal: Deal, tmp_path: Path
) -> None:
    index = build_index([truth.images], tmp_path / "own.parquet", workers=1).images
    pairs = index.select(image="SOPInstanceUID", patient="PatientID")
    pairs.write_csv(tmp_path / "patients.csv")
    text = (
        (tmp_path / "patients.csv").read_text().replace(",", ".dcm;").replace("image.dcm", "image")
    )
    (tmp_path / "patients.csv").write_text(text, encoding="utf-16")
    told, identity = deal("told", truth.images, tmp_path / "patients.csv")
    assert told.assignment == deal("header", truth.images)[0].assignment
    assert pseudonym(pairs["patient"][0], user_key()) in told.assignment
    assert identity == Identity("patient", "a file of patients", ids_repaired=pairs.height)


def test_labels_as_people_have_them_are_learned_and_what_was_repaired_is_told(
    learn: Learn, truth: PhantomTruth, tmp_path: Path
) -> None:
    first, *rows = truth.labels.read_text().splitlines()
    parts = [row.rpartition("_") for row in rows]
    odd = [f"{image}.dcm _{rest}".replace(",", ";") for image, _, rest in parts]
    odd += [odd[0].replace(";0", ";1") if ";0" in odd[0] else odd[0].replace(";1", ";0")]
    labels = tmp_path / "labels.csv"
    labels.write_bytes("\r\n".join([first.replace(",", ";"), *odd, ""]).encode("utf-16"))
    counts = learn(labels=[labels]).counts
    assert counts["labelled_images"] == truth.rows.height
    assert (counts["ids_repaired"], counts["labels_without_image"]) == (truth.rows.height, 0)
    assert counts["conflicting_labels"] == 1
    listed = (tmp_path / "run" / "conflicting_labels.csv").read_text().splitlines()
    assert listed[0] == "level,id,finding,values"
    assert listed[1].startswith(f"image,{parts[0][0]},")


def test_an_index_made_clear_before_becomes_pseudonymous_without_reading_a_file_again(
    truth: PhantomTruth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "i.parquet"
    clear = build_index([truth.images], out, workers=1).instances["PatientID"]
    monkeypatch.setattr("wetread.archive.index.journal.examine", None)
    made = build_index([truth.images], out, workers=1, key=user_key()).instances
    assert made["PatientID"].to_list() == [pseudonym(one, user_key()) for one in clear]
    monkeypatch.undo()
    back = build_index([truth.images], out, workers=1, key=None).instances["PatientID"]
    assert back.to_list() == clear.to_list()
    other = UserKey(b"2" * 32)
    made = build_index([truth.images], out, workers=1, key=other).instances
    assert made["PatientID"].to_list() == [pseudonym(one, other) for one in clear]


@pytest.fixture
def renamed(truth: PhantomTruth, tmp_path: Path) -> Callable[[Callable[[int, str], str]], Path]:
    """renamed(name) -> the archive again, PatientID of the file number k as name(k, its study)."""

    def copy(name: Callable[[int, str], str]) -> Path:
        folder = tmp_path / "renamed"
        shutil.copytree(truth.images, folder)
        for k, file in enumerate(sorted(folder.rglob("*.dcm"))):
            dataset = pydicom.dcmread(file)
            study = dataset.get_item("StudyInstanceUID").value.decode().strip(" \0")
            dataset.PatientID = name(k, study)
            dataset.save_as(file)
        return folder

    return copy


def test_no_proof_is_claimed_where_no_patient_is_known(
    learn: Learn, renamed: Callable[..., Path]
) -> None:
    result = learn(source=[renamed(lambda k, dataset: "Anonymous")])
    told = " ".join(run_lines(result))
    reason = "no image has a patient in the headers' PatientID (but 'Anonymous')"
    assert "has the proof" not in told
    assert "no patient shared" not in told
    assert reason in told
    assert "--patients" in told
    plan = folds(result)
    assert (plan["proof"], plan["identity"], plan["reason"]) == (None, "study", reason)
    about = json.loads((result.run / "about.json").read_text())
    assert about["identity"]["unit"] == "study"
    page = (result.run / "page.html").read_text()
    assert "No patient in two parts" not in page
    assert "Patients are not known" in page
    assert f"{STUDIES} studies" in page


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (lambda k, study: "", "no image has a patient in the headers' PatientID"),
        (lambda k, study: "4711", f"all {STUDIES} studies have one and the same PatientID"),
        (lambda k, study: f"new{k}", "every image has a PatientID of its own"),
    ],
)
def test_the_study_is_the_unit_where_headers_name_nobody(
    deal: Deal, renamed: Callable[..., Path], name: Callable[[int, str], str], reason: str
) -> None:
    plan, identity = deal("run", renamed(name))
    assert (identity.unit, identity.reason) == ("study", reason)
    assert len(plan.assignment) == STUDIES
    assert describe_folds(plan, identity)["proof"] is None
    assert reason in " ".join(patient_lines(identity))


def test_where_some_files_name_nobody_the_line_says_how_many(
    deal: Deal, renamed: Callable[..., Path]
) -> None:
    studies: list[str] = []

    def name(k: int, study: str) -> str:
        studies.append(study)
        return "" if study == studies[0] else f"P{study}"

    plan, identity = deal("run", renamed(name))
    lost = f"patients are not known: {studies.count(studies[0])} of {len(studies)} images"
    assert " ".join(patient_lines(identity)).startswith(lost)
    assert (identity.unit, describe_folds(plan, identity)["proof"]) == ("mixed", None)
    assert studies[0] in plan.assignment


def test_a_study_of_two_patients_is_refused_for_slices_too(
    deal: Deal, renamed: Callable[..., Path]
) -> None:
    folder = renamed(lambda k, study: "TWO" if k == 0 else f"P{study}")
    with pytest.raises(ValueError, match="1 study is of several patients each, the first ID_"):
        deal("run", folder)
    plan, identity = deal("run", folder, "study")
    assert identity.reason == "each study is taken for a patient, as asked for"
    assert len(plan.assignment) == STUDIES
