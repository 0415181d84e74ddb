"""tests/fuzz/ours.py: files of wetread's own, cut, foreign and lying: each is read, or named."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import nibabel
import numpy as np
import polars as pl
from pydicom.data import get_testdata_file

from wetread.archive.index.index import build_index, read_index
from wetread.archive.index.journal import list_parts, read_chunk
from wetread.archive.index.schema import MARKS
from wetread.cli.errors import exit_code_and_message
from wetread.exports.folder import open_export_folder
from wetread.exports.formats import ExportOptions
from wetread.models.weights import load_weights
from wetread.outputs.mask_array import read_nifti, read_npy
from wetread.prediction.ensemble import read_ensemble
from wetread.store.store import open_store
from wetread.tasks import find_task
from wetread.training.about import read_fold_proof, read_metrics, read_run_recipe
from wetread.training.predictions import SCHEMA, read_predictions
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run
from wetread.training.trained_model import build_network, read_trained_model
from wetread.verbs.export import export
from wetread.verbs.pack import pack

SHAPE = (3, 4, 5)
TASK = find_task("hemorrhage")
VALUES = ("NaN", "-Infinity", "1e999", "30000", "-1", "null", '"x"', "[]", "{}", "9" * 5000)
Damage = Callable[[bytes, random.Random], bytes]


def make(folder: Path) -> None:
    """Whole files of every kind that is read again, below folder."""
    source = folder / "source"
    source.mkdir(parents=True)
    for name in ("CT_small.dcm", "MR_small.dcm"):
        shutil.copy(str(get_testdata_file(name)), source)
    index = build_index([source], folder / "index.parquet", workers=1)
    read_chunk(index.instances.select(MARKS), folder / "journal")
    pack(folder / "index.parquet", folder / "store", workers=1)
    export("npy", [source], folder / "export", workers=1)
    np.save(folder / "mask.npy", np.zeros(SHAPE, np.uint8))
    for name in ("mask.nii", "mask.nii.gz"):
        nibabel.save(nibabel.Nifti1Image(np.zeros(SHAPE[::-1], np.uint8), np.eye(4)), folder / name)
    _make_run(Run(folder / "run"))
    (folder / "recipe.toml").write_text('size = 32\nwindows = ["brain"]\nepochs = 1\n')


def _make_run(run: Run) -> None:
    recipe, names = Recipe(size=32), [one.name for one in TASK.findings]
    content = {
        "model": build_network(recipe, len(names), 0).state_dict(),
        "findings": names,
        "view": recipe.view.to_dict(),
        "recipe": recipe.model_dump(mode="json"),
        "negative_rate": 1.0,
        "epoch": 0,
        "value": 0.5,
    }
    Run(run.folder / "model-0").save("best.pt", content)
    Run(run.folder / "model-0").write_lines("metrics.jsonl", [{"epoch": 0, "loss": 0.5}] * 3)
    run.write_json("recipe.json", content["recipe"])
    run.write_json("folds.json", {"proof": {"shared_patients": 0, "parts": {}}, "parts": []})
    origin = {"studies": 2, "phantom_studies": 0}
    about = {"task": TASK.name, "findings": names, "prior": dict.fromkeys(names, 0.1)}
    about |= {"counts": {}, "patients_from": "nobody", "learned_from": origin, "scored_on": origin}
    run.write_json("about.json", about)
    rows: dict[str, list[float] | list[str]]
    rows = {name: [0.5] * 2 * len(names) for name in ("truth", "probability", "prior")}
    rows |= {"level": ["image"] * 2 * len(names), "split": ["held_out"] * 2 * len(names)}
    rows |= {"id": ["a"] * len(names) + ["b"] * len(names), "finding": names * 2}
    rows |= {"study": ["s"] * 2 * len(names), "patient": ["p"] * 2 * len(names)}
    table = pl.DataFrame(rows).select(
        (pl.col(name) if name in rows else pl.lit(0)).cast(kind).alias(name)
        for name, kind in SCHEMA.items()
    )
    run.write_table("predictions.parquet", table)


def _whole_store(path: Path) -> None:
    store = open_store(path)
    for row in range(len(store)):
        store.read_hu([row])


def _whole_export(folder: Path) -> None:
    for part in (folder / ".parts").glob("*.json"):
        open_export_folder(folder, ExportOptions("npy")).is_done(part.stem)


# What reads a file, by where it lies: the folder that is damaged, and how it is read.
READERS: dict[str, Callable[[Path], object]] = {
    "index.parquet": lambda top: read_index(top / "index.parquet").counts(),
    "index.rejects.parquet": lambda top: read_index(top / "index.parquet").counts(),
    "journal/*.parquet": lambda top: list_parts(top / "journal"),
    "store/store.json": lambda top: _whole_store(top / "store"),
    "store/slices.parquet": lambda top: _whole_store(top / "store"),
    "store/parts/*.bin": lambda top: _whole_store(top / "store"),
    "export/export.json": lambda top: _whole_export(top / "export"),
    "export/.parts/*.json": lambda top: _whole_export(top / "export"),
    "mask.npy": lambda top: read_npy(top / "mask.npy", SHAPE),
    "mask.nii": lambda top: read_nifti(top / "mask.nii", SHAPE),
    "mask.nii.gz": lambda top: read_nifti(top / "mask.nii.gz", SHAPE),
    "recipe.toml": lambda top: read_recipe(top / "recipe.toml"),
    "run/about.json": lambda top: read_ensemble([top / "run"]),
    "run/recipe.json": lambda top: read_run_recipe(top / "run"),
    "run/folds.json": lambda top: read_fold_proof(top / "run"),
    "run/predictions.parquet": lambda top: read_predictions(
        top / "run" / "predictions.parquet", {"image": TASK.at("image"), "study": ()}
    ),
    "run/model-0/metrics.jsonl": lambda top: read_metrics(top / "run/model-0/metrics.jsonl"),
    "run/model-0/best.pt": lambda top: (
        read_trained_model(top / "run" / "model-0"),
        load_weights(build_network(Recipe(size=32), 6, 0), top / "run/model-0/best.pt"),
    ),
}


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.choice((0, 1, 4, rng.randrange(len(data)), len(data) - rng.randint(1, 20)))]


def _bits(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 8, 64))):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _zeroed(data: bytes, rng: random.Random) -> bytes:
    at, count = rng.randrange(len(data)), rng.choice((4, 64, 4096))
    return (data[:at] + bytes(count) + data[at + count :])[: len(data)]


def _number(data: bytes, rng: random.Random) -> bytes:
    """A number of a text becomes what none may be; of other files 4 bytes become the largest."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        at = rng.randrange(max(len(data) - 4, 1))
        return data[:at] + rng.choice((b"\xff\xff\xff\x7f", b"\xff" * 4)) + data[at + 4 :]
    places = [at for at, sign in enumerate(text) if sign.isdigit()] or [0]
    at = rng.choice(places)
    return (text[:at] + rng.choice(VALUES) + text[at + 1 :]).encode()


def _deep(data: bytes, rng: random.Random) -> bytes:
    count = rng.choice((900, 5000, 100_000))
    return b'{"a":[' * count + b"1" + b"]}" * count


def _text(data: bytes, rng: random.Random) -> bytes:
    return rng.choice((b"<html>", b"\x1b[2J\x1b]0;x\x07", b"\xff\xfe", b"PK\x03\x04", b"=1+1")) * 9


DAMAGES: tuple[Damage, ...] = (_cut, _bits, _bits, _zeroed, _number, _number, _deep, _text)


def read_ours(
    whole: Path, work: Path, seed: int, numbers: Sequence[int]
) -> Iterator[dict[str, object]]:
    """One entry a damaged file, and one a finding: what is neither read nor named in one line."""
    files = [path for path in sorted(whole.rglob("*")) if path.is_file()]
    for number in numbers:
        rng = random.Random(f"ours {seed} {number}")
        pattern = sorted(READERS)[number % len(READERS)]
        top = work / str(number)
        shutil.copytree(whole, top)
        path = min(top.glob(pattern))
        damage = rng.choice((*DAMAGES, None))
        content = path.read_bytes()
        content = rng.choice(files).read_bytes() if damage is None else damage(content, rng)
        path.write_bytes(content)
        what = f"{pattern}: {'of another' if damage is None else damage.__name__}"
        end = "ours: read"
        try:
            READERS[pattern](top)
        except BaseException as error:
            end = "ours: named"
            told = exit_code_and_message(error) if isinstance(error, Exception) else None
            if told is None or isinstance(error, MemoryError) or "weights_only" in told[1]:
                finding = f"{type(error).__name__}: {error}"[:300]
                yield {"number": number, "what": what, "finding": finding}
        yield {"number": number, "end": end}
        shutil.rmtree(top)
