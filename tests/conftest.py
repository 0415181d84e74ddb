"""tests/conftest.py: where the real files lie, and what all tests share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as of_hypothesis

import wetread
from wetread.archive.rejects import Reject
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.phantoms.head.archive import write_head_archive
from wetread.prediction.reading import Reading, SliceReading
from wetread.study.issue import Issue

if TYPE_CHECKING:  # torch is loaded where a test learns
    from wetread.verbs.train.train import TrainResult

# A machine that others load draws slowly: that is no fault of a law.
of_hypothesis.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
of_hypothesis.load_profile("patient")
# Of the pseudonyms in what the tests write: nothing is kept in the user's configuration folder.
os.environ["WETREAD_KEY"] = "the key of the test-suite"
REPOSITORY = Path(__file__).resolve().parents[1]
# The last three draw WebGL without a graphics card.
BROWSER = [
    "--no-sandbox",
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
]


STUDIES = 16
SETTINGS = (
    "size=32",
    "batch_size=16",
    "runtime.threads=1",
    "runtime.device=cpu",
    "runtime.precision=float32",
)

Learn = Callable[..., "TrainResult"]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real DICOM files; a test that needs it skips where it is absent."""
    folder = Path(os.environ.get("WETREAD_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real files at {folder}; set WETREAD_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium; a test that drives it skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra dev)")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if program is None:
        pytest.skip("needs the program chromium")
    with playwright.sync_playwright() as drivers:
        opened = drivers.chromium.launch(executable_path=program, args=BROWSER)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> PhantomTruth:
    """16 studies of 13 patients at 64 pixels, and what is true of them."""
    out = tmp_path_factory.mktemp("phantoms")
    return write_head_archive(out, STUDIES, 3, size=64, progress=lambda done, total: None)


@pytest.fixture(scope="session")
def settings() -> tuple[str, ...]:
    """Settings that make a run small, and equal wherever it runs."""
    return SETTINGS


@pytest.fixture(scope="session")
def learn(phantoms: PhantomTruth) -> Learn:
    """learn(out, *settings, **words of train): a run of a second on the phantoms."""

    def run(out: Path, *settings: str, **words: Any) -> TrainResult:
        words = {"source": [phantoms.images], "labels": [phantoms.labels], "epochs": 1, **words}
        return wetread.train(
            "hemorrhage", out=out, settings=(*SETTINGS, *settings), workers=1, **words
        )

    return run


@pytest.fixture(scope="session")
def one_split(learn: Learn, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    """Train, validation and held out."""
    return learn(tmp_path_factory.mktemp("run") / "one")


@pytest.fixture(scope="session")
def two_folds(learn: Learn, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    """Every patient read once, by a model of the others."""
    return learn(tmp_path_factory.mktemp("run") / "two", folds=2)


@pytest.fixture(scope="session")
def other_seed(learn: Learn, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    """The one split's words with another seed."""
    return learn(tmp_path_factory.mktemp("run") / "other", seed=1)


@pytest.fixture
def readings() -> list[Reading]:
    """Three studies: calm, urgent with an issue and a reject, and one that could not be read."""
    calm = Reading(
        "1.2.3",
        "1.2.3.1",
        (
            SliceReading("ID_a", 0, -5.0, {"lens": 0.01, "any": 0.02}),
            SliceReading("ID_b", 1, 0.0, {"lens": 0.02, "any": 0.03}),
        ),
        {"lens": 0.02, "any": 0.03},
        ("ID_b",),
        {"checkpoint": "best.pt"},
        findings=("lens", "any"),
    )
    urgent = Reading(
        "1.2.4",
        "1.2.4.1",
        (SliceReading("ID_c", 0, None, {"lens": 0.7, "any": 0.9}),),
        {"lens": 0.7, "any": 0.9},
        ("ID_c",),
        {"checkpoint": "best.pt"},
        (Issue("tilted", "8.0 degrees"),),
        (Reject("a.zip", "x.dcm", "truncated_pixels", "1 of 2 bytes, cut"),),
        ("lens", "any"),
    )
    unread = Reading(
        "1.2.5", "", (), {}, (), {}, (), (Reject("y.dcm", None, "empty", "no bytes"),),
        ("lens", "any"), reason="empty", detail="no bytes",
    )  # fmt: skip
    return [calm, unread, urgent]
