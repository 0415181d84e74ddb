"""tests/training/test_device.py: training/device.py: device, precision, threads, chance."""

import os
import platform
import threading
from pathlib import Path

import pytest
import torch

from wetread.training.device import (
    LARGE,
    choose_runtime,
    has_native_bfloat16,
    map_large_tensors,
    release_memory,
    seeded_runtime,
)
from wetread.training.recipe import Recipe

CPU = torch.device("cpu")


def test_precision_is_that_of_the_recipe_and_auto_asks_the_processor() -> None:
    native = torch.bfloat16 if has_native_bfloat16(CPU) else torch.float32
    for asked, given in [
        ("auto", native),
        ("float32", torch.float32),
        ("bfloat16", torch.bfloat16),
    ]:
        recipe = Recipe().with_settings({"runtime.device": "cpu", "runtime.precision": asked})
        assert choose_runtime(recipe).precision == given


def test_bfloat16_multiplies_in_bfloat16_and_float32_does_not() -> None:
    x = torch.ones(2, 2)
    for precision in (torch.float32, torch.bfloat16):
        name = str(precision).removeprefix("torch.")
        recipe = Recipe().with_settings({"runtime.device": "cpu", "runtime.precision": name})
        with choose_runtime(recipe).autocast():
            assert (x @ x).dtype == precision


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_refused_with_what_to_set() -> None:
    with pytest.raises(ValueError, match="sees no GPU; set device=cpu or auto"):
        choose_runtime(Recipe().with_settings({"runtime.device": "cuda"}))


def test_threads_and_chance_are_the_recipes_inside_and_the_callers_after() -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    drawn = []
    for _ in range(2):
        with seeded_runtime(Recipe(seed=9), CPU):
            assert torch.get_num_threads() == 1
            drawn.append(torch.rand(3))
    assert torch.equal(drawn[0], drawn[1])
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators give back freely")
def test_what_was_freed_in_a_thread_is_given_back() -> None:
    """Training held the memory of its steps while it predicted, and both in the next fold."""
    last: list[bytearray] = []

    def fill() -> None:
        blocks = [bytearray(b"1" * 60_000) for _ in range(2000)]  # 114 MB of one thread's heap
        last.append(blocks[-1])  # at its end: what is before cannot shrink away

    thread = threading.Thread(target=fill)
    thread.start()
    thread.join()
    before = resident_mb()
    release_memory()
    assert before - resident_mb() > 60
    assert len(last[0]) == 60_000


def test_large_tensors_are_mapped_and_computing_goes_on() -> None:
    map_large_tensors()
    assert float(torch.ones(LARGE // 4).sum()) == LARGE // 4


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="this machine has an Apple GPU")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mps", "sees no Apple GPU; set device=cpu or auto"),
        ("meta", "no device of that name; known: auto, cpu, cuda, cuda:1, mps"),
    ],
)
def test_a_device_that_no_network_runs_on_is_refused(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        choose_runtime(Recipe().with_settings({"runtime.device": name}))
