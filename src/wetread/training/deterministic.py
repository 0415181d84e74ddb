"""training/deterministic.py: one order of sums on every processor, as far as torch is held to it.

torch, MKL and oneDNN choose their kernels by the processor, once a process; a network of the same
seed is then another in its last digits. Held to the kernels that every x86-64 processor has, they
add in one order.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from wetread.training.recipe import Recipe

# Read once a process, when the first kernel runs; COMPATIBLE is MKL's own promise of equal bits.
KERNELS = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}
GPU_KERNELS = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}  # without it cuBLAS chooses as it goes
_MKL_BRANCH, _MKL_COMPATIBLE = 1, 3  # of mkl_types.h


def pin_kernels(recipe: Recipe) -> None:
    """Hold this process to kernels of every x86-64 processor, where the recipe is deterministic.

    To be called before torch computes anything. ValueError where others have been chosen before,
    which nothing can undo.
    """
    if not recipe.runtime.deterministic:
        return
    os.environ.update(KERNELS | GPU_KERNELS)
    if torch.backends.cpu.get_cpu_capability() == "DEFAULT" and _mkl_is_compatible():
        return
    given = " ".join(f"{name}={value}" for name, value in KERNELS.items())
    raise ValueError(
        "runtime.deterministic = true: torch has computed in this process before, with kernels of "
        f"this very processor; start it anew, or with {given} in its environment"
    )


def _mkl_is_compatible() -> bool:
    """Whether MKL adds in the order of every processor; True where torch does not say, or is built
    with another library."""
    path = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
    if not path.is_file():
        return True
    branch = getattr(ctypes.CDLL(str(path)), "mkl_serv_cbwr_get", None)  # private: may go
    return branch is None or branch(_MKL_BRANCH) == _MKL_COMPATIBLE


@contextmanager
def deterministic_operations(recipe: Recipe) -> Iterator[None]:
    """Inside, where the recipe is deterministic: operations whose result is always the same alone
    (torch raises RuntimeError for others), and none of oneDNN or NNPACK, which choose by processor
    and cache; then as before."""
    if not recipe.runtime.deterministic:
        yield
        return
    before = torch.are_deterministic_algorithms_enabled(), bool(torch.backends.mkldnn.enabled)
    torch.use_deterministic_algorithms(True)
    torch.backends.mkldnn.enabled = False  # type: ignore[assignment] # a property, as torch means it
    try:
        with torch.backends.nnpack.flags(enabled=False):
            yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.backends.mkldnn.enabled = before[1]  # type: ignore[assignment]
