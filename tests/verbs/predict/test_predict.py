"""tests/verbs/predict/test_predict.py: raw files and runs in, complete readings and submission
out."""

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLSLossless

from wetread.cli.prediction_text import prediction_lines
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.prediction.ensemble import RunError, read_ensemble
from wetread.verbs.predict.predict import Prediction, predict
from wetread.verbs.train.train import TrainResult


def read(src: Path, *runs: Path, out: Path, **words: Any) -> Prediction:
    return predict([src], runs, out, workers=1, **words)


def along_normal(path: Path) -> float:
    """Where a slice lies: its position times the normal of its rows and columns, mm."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the identifiers are no legal UIDs, as in the real files
        data = pydicom.dcmread(path, stop_before_pixels=True)
        axes = np.array(data.ImageOrientationPatient, float).reshape(2, 3)
        return float(np.cross(axes[0], axes[1]) @ np.array(data.ImagePositionPatient, float))


def probabilities(out: Path) -> pl.DataFrame:
    return pl.read_csv(out / "probabilities.csv").sort("level", "id", "finding")


def submission(out: Path) -> dict[str, float]:
    return dict(pl.read_csv(out / "submission.csv").rows())


def prior(run: Path) -> dict[str, float]:
    shares: dict[str, float] = json.loads((run / "about.json").read_text())["prior"]
    return shares


@pytest.fixture(scope="module")
def reading(
    one_split: TrainResult, phantoms: PhantomTruth, tmp_path_factory: pytest.TempPathFactory
) -> Prediction:
    """The phantoms, read by the run with one split."""
    return read(phantoms.images, one_split.run, out=tmp_path_factory.mktemp("read"))


@pytest.fixture
def one_study(phantoms: PhantomTruth, tmp_path: Path) -> tuple[Path, list[str]]:
    """A folder with the first study's files alone, and its images, lowest first."""
    folder = tmp_path / "study"
    folder.mkdir()
    rows = phantoms.rows.filter(pl.col("study_number") == 0)
    for image in rows["image"]:
        (folder / f"{image}.dcm").write_bytes((phantoms.images / f"{image}.dcm").read_bytes())
    return folder, rows["image"].to_list()


def test_every_study_is_one_reading_with_its_slices_in_order_of_position(
    reading: Prediction, phantoms: PhantomTruth
) -> None:
    files = sorted((reading.out / "readings").iterdir())
    assert {file.stem for file in files} == set(phantoms.rows["study"])
    assert len(files) == phantoms.rows["study"].n_unique() == reading.counts["studies"]
    out_of_file_order = 0
    for file in files:
        told = json.loads(file.read_text())
        images = [part["SOPInstanceUID"] for part in told["slices"]]
        own = phantoms.rows.filter(pl.col("study") == told["study_uid"])["image"]
        assert sorted(images) == sorted(own)
        places = [along_normal(phantoms.images / f"{image}.dcm") for image in images]
        assert places == sorted(places)
        assert [part["position_mm"] for part in told["slices"]] == pytest.approx(places, abs=1e-3)
        assert [part["z"] for part in told["slices"]] == list(range(len(images)))
        out_of_file_order += images != sorted(images)
    assert out_of_file_order == len(files)


def test_a_study_is_as_suspicious_as_its_most_suspicious_slice(
    reading: Prediction,
) -> None:
    for one in reading.readings:
        said = np.array([part.probabilities["any"] for part in one.slices])
        assert one.study["any"] == said.max()
        assert one.key_slices[0] == one.slices[int(said.argmax())].sop_instance_uid


def test_a_reading_says_what_made_it_and_not_where_the_home_folder_is(reading: Prediction) -> None:
    told = reading.readings[0].to_dict()["provenance"]
    assert told["task"] == "hemorrhage"
    assert [model["checkpoint"] for model in told["models"]] == ["one/model-0/best.pt"]
    assert told["view"]["size"] == 32
    assert told["note"].startswith("research use only")


def test_a_reading_says_that_its_models_learned_from_phantoms_alone(reading: Prediction) -> None:
    told = json.loads(next((reading.out / "readings").iterdir()).read_text())
    assert told["cautions"] == ["learned_from_phantoms_alone", "never_scored_on_patients"]
    given: dict[str, Any] = reading.to_dict()
    assert given["studies"][0]["cautions"] == told["cautions"]
    lines = prediction_lines(reading)
    assert "caution: learned from synthetic phantoms alone, from no patient" in lines


def test_a_run_of_before_is_read_and_its_readings_say_that_its_patients_are_unknown(
    one_split: TrainResult, tmp_path: Path
) -> None:
    before = shutil.copytree(one_split.run, tmp_path / "before")
    about = json.loads((before / "about.json").read_text())
    for key in ("learned_from", "chosen_on", "scored_on"):
        del about[key]
    (before / "about.json").write_text(json.dumps(about))
    assert read_ensemble([before]).cautions == ("training_data_unknown",)
    assert read_ensemble([one_split.run]).cautions != ("training_data_unknown",)


def test_the_submission_holds_six_rows_an_image_and_the_readings_numbers(
    reading: Prediction, phantoms: PhantomTruth
) -> None:
    rows = submission(reading.out)
    images = phantoms.rows["image"]
    assert len(rows) == 6 * len(images)
    told = probabilities(reading.out).filter(pl.col("level") == "image")
    assert told.height == 6 * len(images)
    assert rows == {f"{i}_{f}": p for _, i, f, p in told.rows()}
    assert all(0 < value < 1 for value in rows.values())


def test_the_worklist_puts_the_urgent_first_and_leaves_no_study_out(reading: Prediction) -> None:
    rows = pl.read_csv(reading.out / "worklist.csv")
    urgency = {one.study_uid: one.study["any"] for one in reading.readings}
    assert rows["rank"].to_list() == list(range(1, len(urgency) + 1))
    assert rows["any"].to_list() == sorted(urgency.values(), reverse=True)
    assert dict(rows.select("study_uid", "any").rows()) == urgency


def test_a_sample_file_decides_rows_and_order_and_what_is_not_there_gets_the_prior(
    one_split: TrainResult, one_study: tuple[Path, list[str]], tmp_path: Path
) -> None:
    folder, images = one_study
    wanted = [f"{images[3]}_any", "ID_absent_subdural", f"{images[0]}_epidural"]
    sample = tmp_path / "sample.csv"
    sample.write_text("ID,Label\n" + "".join(f"{row},0.5\n" for row in wanted))
    result = read(folder, one_split.run, out=tmp_path / "out", sample=sample)
    rows = submission(result.out)
    assert list(rows) == wanted
    said = {part.sop_instance_uid: part.probabilities for part in result.readings[0].slices}
    assert rows[wanted[0]] == said[images[3]]["any"]
    assert rows[wanted[1]] == prior(one_split.run)["subdural"]
    assert rows[wanted[2]] == said[images[0]]["epidural"]


def test_an_image_cut_off_in_its_pixels_is_a_reject_and_gets_the_prior_of_the_sample(
    one_split: TrainResult, one_study: tuple[Path, list[str]], tmp_path: Path
) -> None:
    folder, images = one_study
    cut = folder / f"{images[4]}.dcm"
    cut.write_bytes(cut.read_bytes()[:-100])
    sample = tmp_path / "sample.csv"
    sample.write_text("ID,Label\n" + "".join(f"{image}_any,0.5\n" for image in images))
    result = read(folder, one_split.run, out=tmp_path / "out", sample=sample)
    rejects = pl.read_csv(tmp_path / "out" / "rejects.csv")
    assert rejects.select("path", "reason").rows() == [(str(cut), "truncated_pixels")]
    assert result.refused == 1
    rows = submission(tmp_path / "out")
    assert list(rows) == [f"{image}_any" for image in images]
    share = prior(one_split.run)["any"]
    assert [image for image in images if rows[f"{image}_any"] == share] == [images[4]]


def test_an_image_that_does_not_decode_is_a_reject_of_its_study_and_gets_the_prior(
    one_split: TrainResult, one_study: tuple[Path, list[str]], tmp_path: Path
) -> None:
    folder, images = one_study
    broken = folder / f"{images[2]}.dcm"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the identifiers are no legal UIDs, as in the real files
        data = pydicom.dcmread(broken)
        data.file_meta.TransferSyntaxUID = JPEGLSLossless
        data.PixelData = encapsulate([b"\xff\xd8\xff\xf7" + b"no picture " * 40 + b"\xff\xd9"])
        data.save_as(broken, implicit_vr=False, little_endian=True)
    result = read(folder, one_split.run, out=tmp_path / "out")
    rejects = pl.read_csv(tmp_path / "out" / "rejects.csv")
    assert rejects["path"].to_list() == [str(broken)]
    assert result.refused == 1
    rows = submission(tmp_path / "out")
    assert sorted(rows) == sorted(f"{i}_{f}" for i in images for f in prior(one_split.run))
    for finding, share in prior(one_split.run).items():
        assert rows[f"{images[2]}_{finding}"] == share
    (one,) = result.readings
    assert len(one.slices) == len(images) - 1
    assert [reject.path for reject in one.rejects] == [str(broken)]


def copies(folder: Path, image: str, out: Path, heights: list[float], **tags: Any) -> list[str]:
    """Files of one slice moved along its normal by so many mm, each a little brighter; names."""
    names = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the identifiers are no legal UIDs, as in the real files
        for number, height in enumerate(heights):
            data = pydicom.dcmread(folder / f"{image}.dcm")
            axes = np.array(data.ImageOrientationPatient, float).reshape(2, 3)
            place = np.array(data.ImagePositionPatient, float)
            place = place + height * np.cross(axes[0], axes[1])
            data.ImagePositionPatient = [round(float(value), 6) for value in place]
            data.SOPInstanceUID = f"ID_{tags.get('SeriesInstanceUID', 'of')}_{number:03d}"
            data.RescaleIntercept = float(data.RescaleIntercept) + number
            for name, value in tags.items():
                setattr(data, name, value)
            data.save_as(out / f"{data.SOPInstanceUID}.dcm")
            names.append(str(data.SOPInstanceUID))
    return names


def test_a_study_of_42_files_on_32_positions_keeps_all_its_rows(
    one_split: TrainResult, one_study: tuple[Path, list[str]], tmp_path: Path
) -> None:
    folder, images = one_study
    src = tmp_path / "archive"
    src.mkdir()
    heights = [*np.arange(32) * 5.0, *np.arange(10) * 15.0]
    names = copies(folder, images[4], src, heights)
    result = read(src, one_split.run, out=tmp_path / "out")
    assert result.counts == {"studies": 1, "images": 42, "refused": 0, "no_dicom": 0}
    rows = submission(tmp_path / "out")
    findings = prior(one_split.run)
    assert sorted(rows) == sorted(f"{name}_{finding}" for name in names for finding in findings)
    (one,) = result.readings
    assert sorted(part.sop_instance_uid for part in one.slices) == sorted(names)
    assert len({round(part.position_mm or 0.0, 2) for part in one.slices}) == 32
    issues = {issue.name: issue.detail for issue in one.issues}
    assert issues["duplicate_position"].startswith("10 times: slices 0 and 1 at ")


def test_a_study_of_several_series_is_judged_by_the_best_and_keeps_the_rows_of_all(
    one_split: TrainResult, one_study: tuple[Path, list[str]], tmp_path: Path
) -> None:
    folder, images = one_study
    src = tmp_path / "archive"
    src.mkdir()
    series: dict[str, dict[str, Any]] = {
        "bone": {"ConvolutionKernel": "H60s"},
        "brain": {"ConvolutionKernel": "H31s"},
        "scout": {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
    }
    names = {
        name: copies(
            folder,
            images[at],
            src,
            [5.0 * k for k in range(1 if name == "scout" else 12)],
            SeriesInstanceUID=name,
            **tags,
        )
        for at, (name, tags) in enumerate(series.items(), start=2)
    }
    result = read(src, one_split.run, out=tmp_path / "out")
    (one,) = result.readings
    assert one.series_uid == "brain"
    assert [score.series_uid for score in one.series] == ["brain", "bone", "scout"]
    assert one.series[1].reasons == ("-15 kernel H60s is sharp",)
    said = {part.sop_instance_uid: part.probabilities["any"] for part in one.slices}
    assert one.study["any"] == max(said[name] for name in names["brain"])
    assert set(one.key_slices) <= set(names["brain"])
    told = json.loads(next((tmp_path / "out" / "readings").iterdir()).read_text())
    assert told["series"][0] == {
        "series_uid": "brain",
        "slices": 12,
        "score": 0.0,
        "reasons": [],
    }
    assert len(submission(tmp_path / "out")) == 6 * 25


def test_two_runs_give_the_mean_of_their_probabilities(
    one_split: TrainResult,
    other_seed: TrainResult,
    one_study: tuple[Path, list[str]],
    tmp_path: Path,
) -> None:
    folder, _ = one_study
    other = other_seed.run
    read(folder, one_split.run, out=tmp_path / "a")
    read(folder, other, out=tmp_path / "b")
    read(folder, one_split.run, other, out=tmp_path / "ab")
    a, b, both = (
        probabilities(tmp_path / name).filter(pl.col("level") == "image")
        for name in ("a", "b", "ab")
    )
    assert ((a["probability"] - b["probability"]).abs() > 1e-4).any()  # two models, not one
    mean = (a["probability"] + b["probability"]) / 2
    assert both["probability"].to_numpy() == pytest.approx(mean.to_numpy(), abs=1e-12)


def test_a_folder_that_is_no_run_is_named_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"is no run .* give the folder that wetread train wrote"):
        read(tmp_path, tmp_path, out=tmp_path / "out")


def test_an_archive_without_images_ends_in_empty_tables(
    one_split: TrainResult, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "README").write_text("nothing here\n")
    result = read(folder, one_split.run, out=tmp_path / "out")
    assert result.counts == {"studies": 0, "images": 0, "refused": 0, "no_dicom": 1}
    assert submission(tmp_path / "out") == {}
    assert pl.read_csv(tmp_path / "out" / "rejects.csv")["reason"].to_list() == ["not_dicom"]


@pytest.mark.timeout(120)
def test_a_real_zip_is_one_reading_of_32_slices_by_position_and_192_rows(
    real_data: Path, one_split: TrainResult, tmp_path: Path
) -> None:
    src = real_data / "hemorrhage" / "stage_2_test.zip"
    result = read(src, one_split.run, out=tmp_path)
    (file,) = (tmp_path / "readings").iterdir()
    assert file.stem == "ID_1f6d1e8aeb"
    slices = json.loads(file.read_text())["slices"]
    assert len(slices) == 32
    steps = np.diff([part["position_mm"] for part in slices])
    assert steps == pytest.approx(np.full(31, 5.0065), abs=0.01)
    assert len(submission(tmp_path)) == 192
    assert result.counts == {"studies": 1, "images": 32, "refused": 0, "no_dicom": 0}


def test_a_folder_with_readings_that_wetread_did_not_write_is_refused_and_left_alone(
    one_split: TrainResult, one_study: tuple[Path, list[str]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    read(one_study[0], one_split.run, out=out)
    read(one_study[0], one_split.run, out=out)  # the same archive again is welcome
    (out / "readings" / "1.2.3.json").write_text("{}")
    before = (out / "worklist.csv").read_bytes()
    with pytest.raises(
        ValueError, match=r"a file that .* the first readings/1\.2\.3\.json; give another"
    ):
        read(one_study[0], one_split.run, out=out)
    assert (out / "readings" / "1.2.3.json").read_text() == "{}"
    assert (out / "worklist.csv").read_bytes() == before


def test_readings_and_pages_of_a_study_since_removed_are_not_left_beside_new_ones(
    phantoms: PhantomTruth, one_split: TrainResult, tmp_path: Path
) -> None:
    both, by_study = tmp_path / "both", phantoms.rows.partition_by("study")[:2]
    both.mkdir()
    for rows in by_study:
        for image in rows["image"][:2]:
            shutil.copy(phantoms.images / f"{image}.dcm", both)
    out = tmp_path / "out"
    read(both, one_split.run, out=out)
    assert len(list((out / "readings").iterdir())) == 2
    for image in by_study[0]["image"][:2]:
        (both / f"{image}.dcm").unlink()
    read(both, one_split.run, out=out)
    left = [file.stem for file in (out / "readings").iterdir()]
    assert left == [by_study[1]["study"][0]]
    listed = {out / line for line in (out / "written.txt").read_text().splitlines()}
    assert {out / "worklist.csv", out / "submission.csv", out / "page.html"} <= listed
    assert all(path.is_file() for path in listed)


def test_what_is_given_is_checked_before_anything_is_indexed(
    one_split: TrainResult, one_study: tuple[Path, list[str]], tmp_path: Path
) -> None:
    out, sample = tmp_path / "out", tmp_path / "sample.csv"
    sample.write_text("ID,Label\na_other,0.5\n")
    with pytest.raises(ValueError, match=r"line 2: 'a_other' does not end in"):
        read(one_study[0], one_split.run, out=out, sample=sample)
    with pytest.raises(FileNotFoundError, match="gone does not exist"):
        read(tmp_path / "gone", one_split.run, out=out)
    with pytest.raises(RunError, match="is no run"):
        read(one_study[0], one_split.run, tmp_path, out=out)
    assert not (out / "index.parquet").exists()
