"""training/device.py: on which device, in which precision, with how many threads."""

import copy
import ctypes
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from wetread.training.deterministic import deterministic_operations
from wetread.training.processes import local_rank_of_process, process_name, world_size
from wetread.training.recipe import Recipe

M_MMAP_THRESHOLD, LARGE = -3, 16 * 2**20  # of malloc.h; bytes


@dataclass(frozen=True)
class Runtime:
    """Where tensors live and in which type the network multiplies (float32: no autocast)."""

    device: torch.device
    precision: torch.dtype

    def autocast(self) -> AbstractContextManager[object]:
        """Open the context in which the network runs."""
        if self.precision == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.precision)

    def place(self, model: nn.Module) -> nn.Module:
        """Move the model to the device, channels last."""
        moved: nn.Module = model.to(self.device)
        return moved.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def choose_runtime(recipe: Recipe) -> Runtime:
    """The recipe's device and precision; "auto" takes a GPU where there is one, bf16 if native and
    not deterministic.

    Of several processes on a machine each takes a GPU of its own. ValueError, with what to set, for
    a device that is not there.
    """
    name = recipe.runtime.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = _own_device(torch.device(name))
    _require_device(device, name)
    native = has_native_bfloat16(device)
    wanted = recipe.runtime.precision
    if wanted == "auto":
        wanted = "bfloat16" if native and not recipe.runtime.deterministic else "float32"
    return Runtime(device, torch.bfloat16 if wanted == "bfloat16" else torch.float32)


def _own_device(device: torch.device) -> torch.device:
    """Return the device of this process, of the type that all of a machine share."""
    number = local_rank_of_process()
    if number is None or device.type == "cpu":
        return device
    if device.index is not None or device.type != "cuda":
        raise ValueError(
            f"device = {str(device)!r} with {world_size()} processes: each takes a GPU of its "
            "own; set device=cuda, cpu or auto"
        )
    return torch.device(device.type, number)


def _require_device(device: torch.device, name: str) -> None:
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if count == 0:
            raise ValueError(f"device = {name!r}: this torch sees no GPU; set device=cpu or auto")
        if (device.index or 0) >= count and local_rank_of_process() is not None:
            raise ValueError(
                f"device = {name!r}: {process_name()} has no GPU of its own, torch sees {count} "
                f"there; let torchrun start {count} a machine, or set device=cpu"
            )
        if (device.index or 0) >= count:
            names = ", ".join(f"cuda:{one}" for one in range(count))
            raise ValueError(f"device = {name!r}: torch sees {names}; set one of these, or auto")
    elif device.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError(f"device = {name!r}: this torch sees no Apple GPU; set device=cpu or auto")
    elif device.type not in ("cpu", "mps"):
        raise ValueError(f"device = {name!r}: networks run on cpu, cuda or mps; set one of these")


def cpu_copy(model: nn.Module) -> nn.Module:
    """Copy a model to the CPU, to be sent to another process."""
    return copy.deepcopy(model).cpu()


def has_native_bfloat16(device: torch.device) -> bool:
    """Whether the processor multiplies bf16 itself; emulated it is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # private: may go
    return device.type == "cpu" and probe is not None and bool(probe())


@contextmanager
def seeded_runtime(recipe: Recipe, device: torch.device) -> Iterator[None]:
    """Inside: the recipe's threads and torch's chance (dropout) from its seed; then as before."""
    before = torch.get_num_threads()
    cudnn = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    gpus = [device] if device.type == "cuda" else []
    set_threads(recipe.runtime.threads)
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    try:
        with torch.random.fork_rng(devices=gpus), deterministic_operations(recipe):
            torch.manual_seed(recipe.seed)
            yield
    finally:
        torch.set_num_threads(before)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = cudnn


def set_threads(count: int) -> None:
    """Threads inside torch's operations, 0 for as many as cores; for the thread that calls only."""
    torch.set_num_threads(count or os.cpu_count() or 1)


def release_memory() -> None:
    """Give memory that is no longer used back to the system.

    glibc keeps what was freed, in a heap of its own for every thread that ever asked for some:
    without this a training holds the sum of what its steps and its predictions ever took.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # of glibc alone
        trim(0)


def map_large_tensors() -> None:
    """Ask glibc to take what is larger than LARGE from the system and to give it back when it is
    freed, at no measurable cost; by itself it stops doing so, as large ones come and go."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(M_MMAP_THRESHOLD, LARGE)


def describe_devices() -> list[str]:
    """The devices a recipe may name here, each with its precision, in words."""
    devices = [torch.device("cpu"), *map(_gpu, range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        devices.append(torch.device("mps"))
    return [
        f"{device} ({'bfloat16' if has_native_bfloat16(device) else 'float32'})"
        for device in devices
    ]


def _gpu(number: int) -> torch.device:
    return torch.device("cuda", number)


def rng_state(device: torch.device) -> dict[str, Tensor]:
    """Give the state of torch's generators, (bytes,) uint8 each."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def restore_rng_state(state: dict[str, Tensor], device: torch.device) -> None:
    """Set torch's generators to a state of rng_state, (bytes,) uint8 each."""
    torch.set_rng_state(state["cpu"].cpu())
    if device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)
