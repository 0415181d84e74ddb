"""tests/verbs/test_export_workers.py: an export in worker processes: killed, crashed, and over a
Dask scheduler."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import polars as pl
import pytest

from wetread.verbs.export import export
from wetread.verbs.index import index

Write = Callable[..., Path]
Everything = Callable[[Path], dict[str, bytes]]


def test_a_killed_export_goes_on_and_ends_as_if_it_had_not_been(
    write_ct: Write, tmp_path: Path, everything: Everything
) -> None:
    """Killed with all its workers while files appear; then the same command again."""
    source = write_ct(160)
    out, whole = tmp_path / "out", tmp_path / "whole"
    words = [sys.executable, "-m", "wetread", "export", "png", str(source), "--window", "bsb"]
    words += ["--size", "256", "--workers", "2", "--json", "-o"]
    running = subprocess.Popen([*words, str(out)], start_new_session=True)
    while running.poll() is None and not list(out.glob(".parts/*.json")):
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGKILL)
    assert running.wait() != 0
    there = {path: path.stat().st_mtime_ns for path in out.rglob("1.7/1.8.0/*")}
    assert 0 < len(there) < 160
    assert all(cv2.imread(str(path)) is not None for path in there)  # whole, each of them
    again = subprocess.run([*words, str(out)], check=True, capture_output=True)
    assert json.loads(again.stdout)["files"] == 160
    export("png", [source], whole, window="bsb", size=256, workers=1)
    assert everything(out) == everything(whole)
    assert not list(out.rglob("*.part"))
    kept = sum(path.stat().st_mtime_ns == then for path, then in there.items())
    assert kept >= 16


def test_a_file_that_kills_its_process_costs_one_file(
    write_ct: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies of one file: the others of its part are written."""
    source, out = write_ct(4), tmp_path / "out"
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "def trace(frame, event, arg):\n"
        "    if event == 'call' and frame.f_code.co_name == 'read_pixels':\n"
        "        if frame.f_locals['row']['path'].endswith('0-003.dcm'):\n"
        "            os.abort()\n"
        "sys.setprofile(trace)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    done = export("png", [source], out, workers=1, repair=False)
    assert (done.files, done.refused) == (3, 1)
    rejects = pl.read_csv(out / "rejects.csv")
    assert rejects["path"].to_list() == [str(source / "0-003.dcm")]
    assert rejects["reason"].to_list() == ["decoder_crashed"]


def test_a_zip_and_an_index_are_sources_too(
    write_ct: Write, tmp_path: Path, everything: Everything
) -> None:
    source = write_ct(3)
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as packed:
        for file in source.iterdir():
            packed.write(file, file.name)
    index([source], tmp_path / "i.parquet", workers=1)
    for number, one in enumerate([source, tmp_path / "s.zip", tmp_path / "i.parquet"]):
        export("npy", [one], tmp_path / f"out{number}", workers=1)
    first, *others = (everything(tmp_path / f"out{number}") for number in range(3))
    assert all(other == first for other in others)


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        export("png", [tmp_path / "nowhere"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_cluster_writes_what_this_machine_writes(
    write_ct: Write, everything: Everything, tmp_path: Path
) -> None:
    distributed = pytest.importorskip("distributed", reason="pip install 'wetread[cluster]'")
    source = write_ct(20)
    export("png", [source], tmp_path / "here", window="bsb", workers=1)
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=None,
    ) as cluster:
        address = cluster.scheduler_address
        done = export("png", [source], tmp_path / "there", window="bsb", cluster=address)
    assert done.files == 20
    assert everything(tmp_path / "there") == everything(tmp_path / "here")
