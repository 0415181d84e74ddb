"""tests/verbs/evaluate/conftest.py: a folder of readings of films, and its label file, by hand."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.labels.rle import encode

SIDE = 16
FILMS = 40


@dataclass(frozen=True, eq=False)
class Films:
    """folder of readings, label file, file of patients; truth and probability by film, 0 to 39.

    Films 2k and 2k + 1 are of one patient; odd films are AP. Positives have a square as mask, and
    what is drawn is the upper half of it.
    """

    folder: Path
    labels: Path
    patients: Path
    truth: np.ndarray
    probability: np.ndarray


def square(drawn: bool) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[4 : 8 if drawn else 12, 4:12] = True
    return mask


def write_reading(folder: Path, film: int, rle: str) -> None:
    mask = {"image": f"i{film}", "rle": rle, "files": [f"i{film}.png", f"i{film}.rle"]}
    reading = {
        "state": "read", "study_uid": f"s{film}", "masks": [mask], "reason": None,
        "cautions": ["learned_from_phantoms_alone"],
        "provenance": {
            "task": "pneumothorax",
            "models": [{"checkpoint": "run/model-0/best.pt", "encoder": "small"}],
        },
    }  # fmt: skip
    (folder / "readings" / f"s{film}.json").write_text(json.dumps(reading))


def write_index(folder: Path, films: int) -> None:
    columns = {
        "path": [f"/films/{film}.dcm" for film in range(films)],
        "state": ["image"] * films,
        "SOPInstanceUID": [f"i{film}" for film in range(films)],
        "SeriesInstanceUID": [f"e{film}" for film in range(films)],
        "StudyInstanceUID": [f"s{film}" for film in range(films)],
        "PatientID": [f"PAT{film // 2}" for film in range(films)],
        "Modality": ["DX"] * films,
        "ViewPosition": ["AP" if film % 2 else "PA" for film in range(films)],
        "Rows": [SIDE] * films,
        "Columns": [SIDE] * films,
    }
    rows = {name: columns.get(name, [None] * films) for name in INDEX_SCHEMA}
    pl.DataFrame(rows, schema=INDEX_SCHEMA).write_parquet(folder / "index.parquet")


@pytest.fixture
def films(tmp_path: Path) -> Films:
    """Forty films that were read, half of them with a pneumothorax."""
    folder = tmp_path / "read"
    (folder / "readings").mkdir(parents=True)
    rng = np.random.default_rng(7)
    truth = (np.arange(FILMS) % 4 < 2).astype(float)
    probability = np.round(np.clip(0.4 * truth + 0.6 * rng.random(FILMS), 0.01, 0.99), 6)
    lines, rows, patients = ["ImageId,EncodedPixels"], [], ["image,patient"]
    for film in range(FILMS):
        positive = truth[film] > 0
        lines.append(f"i{film},{encode(square(False)) if positive else '-1'}")
        write_reading(folder, film, encode(square(True)) if positive else "-1")
        patients.append(f"i{film},p{film // 2}")
        rows += [(level, f"{level[0]}{film}", "pneumothorax", probability[film])
                 for level in ("study", "image")]  # fmt: skip
    table = pl.DataFrame(rows, schema=["level", "id", "finding", "probability"], orient="row")
    table.write_csv(folder / "probabilities.csv")
    write_index(folder, FILMS)
    labels, owners = tmp_path / "labels.csv", tmp_path / "patients.csv"
    labels.write_text("\n".join(lines) + "\n")
    owners.write_text("\n".join(patients) + "\n")
    return Films(folder, labels, owners, truth, probability)
