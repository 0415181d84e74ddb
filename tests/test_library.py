"""tests/test_library.py: what `import wetread` gives: light names, texts as paths, clear errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import wetread
from wetread.outputs.optional import LEARN
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.verbs.train.train import TrainResult

HEAVY = {
    *("train", "calibrate", "evaluate", "evaluate_predictions", "score", "demo"),
    *("bundle", "Bundle"),
    *("Run", "read_run", "TrainResult", "DemoResult", "SubmissionScores"),
    *("baseline", "BaselineResult"),
    *("CalibrationResult", "features", "FeatureTable"),
    *("runs", "compare_runs", "diff_runs", "export_runs", "mirror_runs", "plot_runs"),
    *("Runs", "RunComparison", "RunDifferences", "MirrorResult"),
}
LIGHT = sorted({*wetread.__all__} - HEAVY)


def in_a_fresh_python(code: str) -> str:
    """Run code in a Python that has loaded nothing yet; its output."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_all_but_what_learns_is_handed_out_without_torch() -> None:
    code = f"""
import sys, wetread
assert "numpy" not in sys.modules and "polars" not in sys.modules
for name in {LIGHT!r}:
    getattr(wetread, name)
    assert "torch" not in sys.modules, name
print("light")
"""
    assert in_a_fresh_python(code) == "light"


def test_without_the_extra_a_verb_that_learns_says_what_to_install(tmp_path: Path) -> None:
    code = f"""
import sys, wetread
for name in {LEARN!r}:
    sys.modules[name] = None
for verb in ("train", "predict", "evaluate"):
    try:
        if verb == "predict":
            wetread.predict("archive", "run", {str(tmp_path)!r})
        getattr(wetread, verb)
    except wetread.WetreadError as error:
        print("pip install 'wetread[learn]'" in str(error))
"""
    assert in_a_fresh_python(code).split() == ["True"] * 3


def test_the_package_lists_what_it_hands_out() -> None:
    assert dir(wetread) == sorted(wetread.__all__)
    assert len(set(wetread.__all__)) == len(wetread.__all__)


def test_every_verb_that_only_looks_takes_texts_as_paths(
    phantoms: PhantomTruth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = str(phantoms.images)
    index = wetread.index(folder, "index.parquet", workers=1)
    assert wetread.read_index("index.parquet").counts() == index.counts()
    assert wetread.index([folder], Path("again.parquet"), workers=1).counts() == index.counts()
    assert len(wetread.pack("index.parquet", "store", size=16, workers=1)) == index.images.height
    assert len(wetread.open_store("store")) == index.images.height
    image = str(index.images["path"][0])
    shown = wetread.show(image, picture="image.png")
    assert isinstance(shown, wetread.ShownFile)
    assert isinstance(wetread.show("index.parquet"), wetread.ShownTree)
    assert wetread.export("png", image, "pictures", window="brain", workers=1).files == 1
    assert wetread.montage("index.parquet", "grid.png", count=2, workers=1).refused == 0
    assert wetread.scroll("index.parquet", "scroll.html", workers=1).pages
    assert wetread.windows(None, "windows.html").page == Path("windows.html")
    assert wetread.windows("index.parquet", "series.html", workers=1).slices > 1
    for name in ("image.png", "grid.png", "scroll.html", "windows.html", "series.html"):
        assert Path(name).stat().st_size > 0, name


def test_every_verb_that_learns_takes_texts_as_paths(
    one_split: TrainResult, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    scores = wetread.evaluate(str(one_split.run))
    assert scores == one_split.scores
    assert wetread.read_run(str(one_split.run)).scores == scores
    run = wetread.read_run(one_split.run)
    assert run.recipe.size == 32
    assert set(run.predictions["split"]) == {"held_out"}
    read = wetread.predict(
        str(phantoms.images), str(one_split.run), str(tmp_path / "out"), workers=1
    )
    submission = read.out / "submission.csv"
    found = wetread.score("hemorrhage", str(phantoms.labels), str(submission))
    assert isinstance(found.scores, wetread.Scores)
    assert found.scores.find("weighted_log_loss")[0].value is not None


def test_a_folder_that_is_no_run_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no predictions\.parquet in it"):
        wetread.read_run(tmp_path)


def test_a_wrong_source_is_named_and_no_letter_of_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        wetread.index("nowhere", tmp_path / "index.parquet")
