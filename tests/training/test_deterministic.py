"""tests/training/test_deterministic.py: the same bytes under the kernels of several processors."""

import os
import subprocess
import sys

import pytest
import torch

from wetread.training.deterministic import deterministic_operations, pin_kernels
from wetread.training.recipe_file import read_recipe

DETERMINISTIC = read_recipe("compact", ["runtime.deterministic=true"])
# Processors that this one stands for, by instructions that are passed over.
OTHERS: tuple[dict[str, str], ...] = (
    {},
    {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default"},
    {"ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
)
STEPS = """
import hashlib, sys, torch
from wetread.training.deterministic import pin_kernels
from wetread.training.device import choose_runtime, seeded_runtime
from wetread.training.recipe_file import read_recipe
from wetread.training.trained_model import build_network
recipe = read_recipe("compact", ["runtime.device=cpu", "runtime.precision=float32", *sys.argv[1:]])
pin_kernels(recipe)
with seeded_runtime(recipe, torch.device("cpu")):
    model = choose_runtime(recipe).place(build_network(recipe, 6, 0))
    optimizer = torch.optim.AdamW(model.parameters())
    for _ in range(2):
        model(torch.rand(4, 3, 32, 32)).square().mean().backward()
        optimizer.step()
digest = hashlib.sha256()
for tensor in model.state_dict().values():
    digest.update(tensor.contiguous().numpy().tobytes())
print(digest.hexdigest())
"""


def weights(setting: str, environment: dict[str, str]) -> str:
    """Train two steps in a process of its own; a digest of the weights."""
    clean = {k: v for k, v in os.environ.items() if all(k not in one for one in OTHERS)}
    words = [sys.executable, "-c", STEPS, setting]
    done = subprocess.run(
        words, env={**clean, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_deterministic_training_is_the_same_under_the_kernels_of_other_processors() -> None:
    held = {weights("runtime.deterministic=true", one) for one in OTHERS[1:]}
    assert len(held) == 1
    free = {weights("runtime.deterministic=false", one) for one in OTHERS[:2]}
    assert len(free) == 2, "this processor has no kernels but those of every one"


def test_a_process_that_has_computed_with_its_own_kernels_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.ones(2).sum()
    if torch.backends.cpu.get_cpu_capability() == "DEFAULT":
        pytest.skip("torch has no other kernels on this processor")
    monkeypatch.setattr(os, "environ", dict(os.environ))
    with pytest.raises(ValueError, match="ATEN_CPU_CAPABILITY=default MKL_CBWR=COMPATIBLE"):
        pin_kernels(DETERMINISTIC)
    pin_kernels(read_recipe("compact"))  # nothing to hold to


def test_operations_are_held_inside_alone() -> None:
    def held() -> tuple[bool, bool]:
        return torch.are_deterministic_algorithms_enabled(), bool(torch.backends.mkldnn.enabled)

    before = held()
    with deterministic_operations(DETERMINISTIC):
        assert held() == (True, False)
    assert held() == before
    with deterministic_operations(read_recipe("compact")):
        assert held() == before


@pytest.mark.parametrize("setting", ["runtime.threads=2", 'runtime.precision="bfloat16"'])
def test_several_threads_and_bfloat16_are_refused_with_it(setting: str) -> None:
    with pytest.raises(ValueError, match="set threads to 1 and precision to auto or float32"):
        read_recipe("compact", ["runtime.deterministic=true", setting])
