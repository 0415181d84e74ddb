"""tests/verbs/test_damaged_run.py: files of a run that are cut, foreign, or lie are named in one
line, before memory is asked for, and never with advice to execute them."""

import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from wetread.archive.files.damaged import DamagedFileError
from wetread.prediction.ensemble import read_ensemble
from wetread.store.pack import is_whole_part
from wetread.verbs.evaluate.evaluate import evaluate
from wetread.verbs.train.train import TrainResult

Damage = Callable[[Path], object]


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def text(path: Path) -> None:
    path.write_text("<html>404 not found</html>\n" * 20)


def other(path: Path) -> None:
    """A file of another kind: a table where weights are meant, a zip where JSON is."""
    if path.suffix == ".parquet":
        torch.save({"a": torch.zeros(3)}, path)
    else:
        pl.DataFrame({"a": [1]}).write_parquet(path)


def deep(path: Path) -> None:
    path.write_text('{"a":' * 100_000 + "1" + "}" * 100_000)


def not_a_number(path: Path) -> None:
    path.write_text(path.read_text().replace("0.", "NaN, 0.", 1).replace("NaN, 0.", "NaN", 1))


def checkpoint(change: Callable[[dict[str, Any]], object]) -> Damage:
    def damage(path: Path) -> None:
        content = torch.load(path, weights_only=True)
        change(content)
        torch.save(content, path)

    return damage


def frame(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Damage:
    return lambda path: change(pl.read_parquet(path)).write_parquet(path)


def with_nan(content: dict[str, Any]) -> None:
    next(iter(content["model"].values()))[0] = float("nan")


def laid_over(content: dict[str, Any]) -> None:
    name = next(iter(content["model"]))
    content["model"][name] = torch.zeros(1).expand(100_000, 1_000_000)


class Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("executed",)


def with_code(path: Path) -> None:
    torch.save({"model": Code()}, path)


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"model": Code()}))


def unpacking_to_more(path: Path) -> None:
    """A tensor of zeros, deflated: a small file that unpacks to 64 MB."""
    torch.save({"model": {"a": torch.zeros(16 << 20)}}, path)
    with zipfile.ZipFile(path) as whole:
        members = {info.filename: whole.read(info) for info in whole.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)


def put(**values: Any) -> Damage:
    def damage(path: Path) -> None:
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return damage


ANY = (emptied, cut, text, other)
OF_PREDICTION = {
    "about.json": (*ANY, deep, not_a_number, put(prior={}), put(prior={"any": 7}), put(task=3)),
    "model-0/best.pt": (
        *(*ANY, with_code, pickled, unpacking_to_more),
        *map(checkpoint, (with_nan, laid_over)),
        checkpoint(lambda c: c["view"].update(size=30_000)),
        checkpoint(lambda c: c["view"].update(neighbours=10**9)),
        checkpoint(lambda c: c["recipe"].update(size=30_000)),
        checkpoint(lambda c: c["recipe"].update(encoder="nothing")),
        checkpoint(lambda c: c.pop("findings")),
        checkpoint(lambda c: c["model"].popitem()),
        checkpoint(lambda c: c.update(epoch="x")),
    ),
}
OF_EVALUATION = {
    "about.json": (emptied, text),
    "recipe.json": (*ANY, deep, put(size=30_000), put(seed="x")),
    "folds.json": (*ANY, put(proof=[])),
    "model-0/metrics.jsonl": (cut, text, other),
    "predictions.parquet": (
        *ANY,
        frame(lambda t: t.with_columns(probability=pl.lit(float("nan")))),
        frame(lambda t: t.with_columns(probability=pl.lit(1.5))),
        frame(lambda t: t.with_columns(truth=pl.lit(-1.0))),
        frame(lambda t: t.drop("study")),
        frame(lambda t: t[1:]),
        frame(lambda t: t.sort("finding")),
        frame(lambda t: t.with_columns(level=pl.lit("pixel"))),
        frame(lambda t: t.clear()),
    ),
    "store/store.json": (*ANY, put(size=-1)),
    "store/slices.parquet": (
        *ANY,
        frame(lambda t: t.with_columns(rows=pl.lit(10**6, pl.Int32))),
        frame(lambda t: t.with_columns(offset=pl.lit(10**12, pl.Int64))),
        frame(lambda t: t.with_columns(slope=pl.lit(float("nan")))),
        frame(lambda t: t.with_columns(dtype=pl.lit("O"))),
        frame(lambda t: t.with_columns(part=pl.lit("../../x"))),
        frame(lambda t: t.with_columns(rows=pl.lit(7, pl.Int32))),
    ),
}


def every(kinds: dict[str, tuple[Damage, ...]]) -> list[tuple[str, Damage]]:
    return [(name, damage) for name, damages in kinds.items() for damage in damages]


@pytest.fixture
def run(one_split: TrainResult, tmp_path: Path) -> Path:
    shutil.copytree(one_split.run, tmp_path / "run")
    return tmp_path / "run"


def check(error: Exception, path: Path) -> None:
    told = str(error)
    assert path.name in told
    assert "\n" not in told
    assert "weights_only" not in told
    assert len(told) < 700


@pytest.mark.parametrize(("name", "damage"), every(OF_PREDICTION))
def test_a_damaged_file_that_prediction_needs_is_one_line(
    run: Path, name: str, damage: Damage, capfd: pytest.CaptureFixture[str]
) -> None:
    damage(run / name)
    with pytest.raises(DamagedFileError) as found:
        read_ensemble([run])
    check(found.value, run / name)
    assert capfd.readouterr().out == ""  # nothing that lay in it was executed


@pytest.mark.parametrize(("name", "damage"), every(OF_EVALUATION))
def test_a_damaged_file_that_evaluation_needs_is_one_line(
    run: Path, name: str, damage: Damage
) -> None:
    damage(run / name)
    with pytest.raises(DamagedFileError) as found:
        evaluate(run)
    if name != "store/slices.parquet":  # a slice of another size is found in its part
        check(found.value, run / name)


def test_a_cut_and_an_emptied_part_of_the_store_are_named(run: Path) -> None:
    (part,) = list((run / "store" / "parts").glob("*.bin"))[:1]
    whole = part.read_bytes()
    for content in (b"", whole[:-5], bytes(len(whole))):
        part.write_bytes(content)
        with pytest.raises(DamagedFileError, match=part.name):
            evaluate(run)


def test_a_checkpoint_to_go_on_from_is_named_when_it_is_damaged(run: Path, learn: Any) -> None:
    last = run / "model-0" / "last.pt"
    for damage in (emptied, text, with_code, checkpoint(lambda c: c.update(described={}))):
        shutil.copy(run / "model-0" / "best.pt", last)
        if damage is not emptied:
            damage(last)
        else:
            emptied(last)
        with pytest.raises(DamagedFileError, match=r"last\.pt") as found:
            learn(run)
        check(found.value, last)


def test_a_part_of_the_store_that_is_cut_or_foreign_is_not_whole(
    one_split: TrainResult, tmp_path: Path
) -> None:
    shutil.copytree(one_split.run / "store", tmp_path / "store")
    parts = tmp_path / "store" / "parts"
    key = min(path.stem for path in parts.iterdir())
    assert is_whole_part(parts, key)
    for end in (".bin", ".parquet", ".rejects"):
        whole = (parts / f"{key}{end}").read_bytes()
        for content in (b"", whole[:-3], whole + b"x"):
            (parts / f"{key}{end}").write_bytes(content)
            assert not is_whole_part(parts, key), end
        (parts / f"{key}{end}").unlink()
        assert not is_whole_part(parts, key)
        (parts / f"{key}{end}").write_bytes(whole)
    assert is_whole_part(parts, key)
