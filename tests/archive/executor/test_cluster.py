"""tests/archive/executor/test_cluster.py: a Dask scheduler gives the tables that this machine
alone gives,
also when a node is killed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from polars.testing import assert_frame_equal
from tests.archive.executor.local_dask import Dask, running_dask

from wetread.archive.executor.cluster import ClusterError
from wetread.archive.executor.workers import Cluster, parallel_map
from wetread.archive.index.index import build_index
from wetread.store.pack import pack
from wetread.store.pack_series import OneBox, Packing
from wetread.study.crop import whole_picture
from wetread.study.series import series_slices

pytest.importorskip("distributed", reason="no distributed here: pip install 'wetread[cluster]'")
Write = Callable[..., Path]
NODES = 2


_WORK = """
import os, signal
def work(item):
    if item == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    return item
"""


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    folder = tmp_path_factory.mktemp("dask")
    (folder / "work_of_a_cluster.py").write_text(_WORK)
    with running_dask(folder) as running:
        yield running


@pytest.fixture
def cluster(dask: Dask) -> Cluster:
    """The scheduler with two nodes, new ones for those that a test has killed."""
    return dask.cluster(NODES)


@pytest.fixture
def archive(write_ct: Write, tmp_path: Path, noise: np.ndarray) -> Path:
    """Twelve series of five slices, a text, and a file that is cut."""
    for number in range(60):
        series = f"1.2.5.{number // 5}"
        write_ct(f"archive/{number:03d}", number=number + 1, SeriesInstanceUID=series)
    top = tmp_path / "archive"
    (top / "text").write_text("no image\n")
    (top / "cut").write_bytes((top / "000").read_bytes()[:-20])
    return top


def same_bytes(one: Path, two: Path) -> bool:
    ends = (".parquet", ".rejects.parquet", ".duplicates.parquet")
    return all(
        one.with_name(one.name + end).read_bytes() == two.with_name(two.name + end).read_bytes()
        for end in ends
    )


def ignore(done: int, total: int) -> None:
    pass


@pytest.mark.timeout(600)
def test_an_item_that_kills_its_process_leaves_the_nodes_alive(
    cluster: Cluster, dask: Dask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(dask.folder))
    import work_of_a_cluster  # type: ignore[import-not-found]

    found = list(parallel_map(work_of_a_cluster.work, [0, "kill", 1], cluster))
    assert (found[0], found[2]) == (0, 1)
    assert found[1].reason == "decoder_crashed"
    assert len(dask.nodes) == NODES


@pytest.mark.timeout(600)
def test_an_index_loses_nothing_when_a_node_is_killed(
    cluster: Cluster, dask: Dask, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetread.archive.index.index.CHUNK", 1)
    seen: list[int] = []

    def kill_one(done: int, total: int) -> None:
        if 0 < done < total and len(dask.nodes) == NODES:
            node = dask.nodes[0]
            node.kill()
            node.wait()
            seen.append(done)

    build_index([archive], tmp_path / "local.parquet", workers=1)
    build_index([archive], tmp_path / "c.parquet", workers=cluster, progress=kill_one)
    assert len(seen) == 1
    assert same_bytes(tmp_path / "local", tmp_path / "c")


@pytest.mark.timeout(600)
def test_packing_loses_nothing_when_a_node_is_killed(
    cluster: Cluster, dask: Dask, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetread.store.pack.SERIES_PER_PART", 1)
    seen: list[int] = []

    def kill_one(done: int, total: int) -> None:
        if 0 < done < total and len(dask.nodes) == NODES:
            node = dask.nodes[-1]
            node.kill()
            node.wait()
            seen.append(done)

    index = build_index([archive], tmp_path / "i.parquet", workers=1)
    packing = Packing(None, OneBox(whole_picture))
    series = series_slices(index.images)
    here = pack(series, tmp_path / "here", packing, workers=1, progress=ignore)
    there = pack(series, tmp_path / "there", packing, workers=cluster, progress=kill_one)
    assert len(seen) == 1
    assert_frame_equal(there.slices, here.slices, check_exact=True)
    assert_frame_equal(there.rejects, here.rejects, check_exact=True)
    assert np.array_equal(there.read_hu(range(60)), here.read_hu(range(60)))


@pytest.mark.timeout(600)
def test_a_cluster_without_a_worker_is_given_up_and_says_so(
    cluster: Cluster, dask: Dask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetread.archive.executor.cluster.TIMEOUT_S", 0.5)
    monkeypatch.setattr("wetread.archive.executor.cluster.POLL_S", 0.1)
    for node in dask.nodes:
        node.kill()
        node.wait()
    with pytest.raises(ClusterError, match=r"tcp://.*had no worker; start it again, then give"):
        list(parallel_map(str, [0, 1], cluster))


def test_an_address_at_which_no_scheduler_answers_is_named() -> None:
    from dask import config

    nowhere = Cluster("tcp://127.0.0.1:9")
    short = {"distributed.comm.timeouts.connect": "0.5s"}
    with config.set(short), pytest.raises(ClusterError, match=r"127.0.0.1:9: no Dask scheduler"):
        list(parallel_map(str, [0], nowhere))
