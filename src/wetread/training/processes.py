"""training/processes.py: several processes that train together, as torchrun started them; the one
file that knows torch.distributed.

The first process runs the command, and alone writes files. The others wait for calls: a function
with its arguments, which the first one sends and they run; what it computes meets that of the first
in the sums and exchanges below. Where torchrun started no others, all of these are the identity.
"""

from __future__ import annotations

import os
import pickle
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn, ParamSpec, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from wetread.archive.errors import WetreadError

TIMEOUT_S = 600.0  # for the slowest process, in one sum or exchange
RENDEZVOUS_TIMEOUT_S = 300.0  # until all processes have started
END, GONE = 0, -1  # in place of a message's length: the first process has done all, or failed
SHORTEST_S, LONGEST_S = 0.001, 0.05  # between two looks for a message
Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")


class LostProcessError(WetreadError):
    """Another process ended, or did not come to a sum in time."""


class FirstFailedError(WetreadError):
    """The first process has failed, and said why."""


@dataclass
class _Processes:
    """Those that torchrun started, as one of them knows them.

    rank, size: its number and how many there are; local_rank: its number on its machine.
    store:      small values that all can read, which torchrun keeps.
    group:      how they exchange tensors of the CPU; None: they have not yet.
    called:     messages of the first process so far; met: sums and exchanges of all so far.
    """

    rank: int
    size: int
    local_rank: int
    store: Store
    patience: timedelta
    group: dist.ProcessGroup | None = None
    called: int = 0
    met: int = 0


_processes: _Processes | None = None


def join_processes(timeout_s: float = TIMEOUT_S) -> None:
    """Meet the processes that torchrun started with this one, by its environment variables.

    timeout_s: how long a sum or an exchange may wait for the slowest. Raises LostProcessError
    where they cannot be reached.
    """
    global _processes
    try:
        store, rank, size = next(
            iter(rendezvous("env://", timeout=timedelta(seconds=RENDEZVOUS_TIMEOUT_S)))
        )
    except (RuntimeError, ValueError) as error:
        where = ":".join(os.environ.get(name, "?") for name in ("MASTER_ADDR", "MASTER_PORT"))
        raise LostProcessError(
            f"the processes of torchrun do not meet at {where} ({_first_line(error)}); is that "
            "address reached from this machine?"
        ) from error
    local = int(os.environ.get("LOCAL_RANK", rank))
    store.set(f"process-{rank}", f"{os.getpid()} {socket.gethostname()}")
    _processes = _Processes(rank, size, local, store, timedelta(seconds=timeout_s))


def world_size() -> int:
    """Count the processes that train together; 1 where there is one alone."""
    return 1 if _processes is None else _processes.size


def process_rank() -> int:
    """Return this process's number, 0 for the first."""
    return 0 if _processes is None else _processes.rank


def local_rank_of_process() -> int | None:
    """Return this process's number among those of its machine; None where it is alone."""
    return None if _processes is None else _processes.local_rank


def process_name() -> str:
    """Name this process for messages, "process 2 of 4 (on HOST)", counted from 1."""
    return f"process {process_rank() + 1} of {world_size()} (on {socket.gethostname()})"


def call_other_ranks(
    function: Callable[Arguments, object], *arguments: Arguments.args, **_: Arguments.kwargs
) -> None:
    """Let the other processes run a function of a module, with copies of the arguments, while the
    first does its own part."""
    if _processes is not None:
        _send(_processes, _Call(function, arguments))


def send_order(value: object) -> None:
    """Send a value to the function that the others run: the next of its orders."""
    if _processes is not None:
        _send(_processes, _Order(value))


def end_orders() -> None:
    """Let the function that the others run have no more orders."""
    if _processes is not None:
        _send(_processes, _End())


def orders() -> Iterator[object]:
    """Yield the first process's orders in one of the others, until it ends them; what else it calls
    in the meantime is run."""
    assert _processes is not None
    while True:
        message = _receive(_processes)
        if isinstance(message, _End):
            return
        if isinstance(message, _Call):
            message.function(*message.arguments)
        else:
            yield cast(_Order, message).value


def serve_rank_zero() -> None:
    """Run in one of the others what the first process calls, until it has done all; leave it."""
    for order in orders():
        raise AssertionError(f"an order to nobody: {order!r}")
    _disconnect()


def broadcast(tensors: Sequence[Tensor]) -> None:
    """Set tensors (any shapes, one type and device) to those of the first process."""
    if _processes is None or not tensors:
        return
    flat = _flat(tensors)
    with _meeting(_processes) as group:
        dist.broadcast(flat, 0, _group_of(flat, group))
    if _processes.rank:
        _unflatten(flat, tensors)


def reduce_sum(tensors: Sequence[Tensor]) -> None:
    """Set tensors (any shapes, one type and device) of the first process to the sums over all
    processes; those of the others are then of no meaning."""
    if _processes is None or not tensors:
        return
    flat = _flat(tensors)
    with _meeting(_processes) as group:
        dist.reduce(flat, 0, group=_group_of(flat, group))
    if _processes.rank == 0:
        _unflatten(flat, tensors)


def all_reduce_sum(tensor: Tensor) -> Tensor:
    """Sum a tensor of the CPU (any shape) over all processes."""
    if _processes is None:
        return tensor
    total = tensor.clone()
    with _meeting(_processes) as group:
        dist.all_reduce(total, group=group)
    return total


def scatter(values: Sequence[Value] | None) -> Value:
    """Return to each process its own of the values, one a process, that the first one has."""
    assert _processes is not None
    own: list[Value | None] = [None]
    with _meeting(_processes) as group:
        given = None if values is None else list(values)
        dist.scatter_object_list(own, given, 0, group)
    return cast(Value, own[0])


def gather(value: Value) -> list[Value]:
    """Return to the first process the values of all, in order; to the others nothing, []."""
    assert _processes is not None
    found: list[Value | None] | None = None if _processes.rank else [None] * _processes.size
    with _meeting(_processes) as group:
        dist.gather_object(value, found, 0, group)
    return cast(list[Value], found or [])


def send_to_rank_zero(value: object) -> None:
    """Send a value to the first process, which receives it."""
    assert _processes is not None
    with _meeting(_processes, together=False) as group:
        dist.send_object_list([value], 0, group)


def receive_from_rank(number: int) -> object:
    """Receive in the first process a value that another one sends."""
    assert _processes is not None
    found: list[object] = [None]
    with _meeting(_processes, together=False, whom=number) as group:
        dist.recv_object_list(found, number, group)
    return found[0]


def reports_failure() -> bool:
    """Whether this process, which fails, is the first to, and so the one that says why. Where it is
    the first of all, the others, if they wait for it, end too."""
    if _processes is None:
        return True
    try:
        is_first_to_fail: bool = _processes.store.add("failed", 1) == 1
        if _processes.rank == 0:
            _processes.store.set(f"message-{_processes.called}", str(GONE))
        return is_first_to_fail
    except RuntimeError:  # torchrun itself is gone
        return _processes.rank == 0


def ended_processes() -> str:
    """Name the processes that have ended, "process 2 and process 3"; "" where this machine knows of
    none."""
    return "" if _processes is None else _names(_ended(_processes))


def leave_processes() -> None:
    """Let the others end, now that the first process has done all."""
    global _processes
    if _processes is None:
        return
    _processes.store.set(f"message-{_processes.called}", str(END))
    _disconnect()


def _disconnect() -> None:
    global _processes
    if _processes is not None and _processes.group is not None:
        dist.destroy_process_group()
    _processes = None


@dataclass(frozen=True)
class _Call:
    """A function that the others are to run."""

    function: Callable[..., object]
    arguments: tuple[object, ...]


@dataclass(frozen=True)
class _Order:
    """A value for the function that they run."""

    value: object


class _End:
    """No more orders; where no function runs: the command has ended."""


def _send(processes: _Processes, message: object) -> None:
    """Send a message from the first process to all others. They wait for it at the store, for as
    long as the first one has other things to do."""
    packed = pickle.dumps(message)  # before anyone waits: what cannot be sent is an error here
    name = f"message-{processes.called}"
    processes.called += 1
    try:
        processes.store.set(name, str(len(packed)))
    except RuntimeError as error:
        _raise_lost(processes, error)
    content = torch.frombuffer(bytearray(packed), dtype=torch.uint8)
    with _meeting(processes) as group:
        dist.broadcast(content, 0, group)


def _receive(processes: _Processes) -> object:
    """Wait for a message of the first process."""
    name = f"message-{processes.called}"
    processes.called += 1
    try:
        pause = SHORTEST_S
        while not processes.store.check([name]):  # a wait of the store's own would hear no signal
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_S)
        size = int(processes.store.get(name))
    except RuntimeError as error:
        _raise_lost(processes, error)
    if size == GONE:
        raise FirstFailedError
    if size == END:
        return _End()
    content = torch.empty(size, dtype=torch.uint8)
    with _meeting(processes) as group:
        dist.broadcast(content, 0, group)
    return pickle.loads(content.numpy().tobytes())  # of our own first process


@contextmanager
def _meeting(
    processes: _Processes, *, together: bool = True, whom: int | None = None
) -> Iterator[dist.ProcessGroup]:
    """Open the group in which processes exchange; what fails there is a LostProcessError.

    together: whether all take part; whom: the number of the one other that does.
    """
    try:
        if processes.group is None:
            processes.group = _connect(processes)
        if together:
            processes.met += 1
            processes.store.set(f"met-{processes.rank}", str(processes.met))
        yield processes.group
    except RuntimeError as error:
        _raise_lost(processes, error, whom)


def _connect(processes: _Processes) -> dist.ProcessGroup:
    """Connect all processes: NCCL for tensors of their GPUs, gloo for those of the CPU."""
    gpus = torch.cuda.is_available() and dist.is_nccl_available()
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if gpus else "gloo",
        store=PrefixStore("group", processes.store),
        rank=processes.rank,
        world_size=processes.size,
        timeout=processes.patience,
    )
    return cast(dist.ProcessGroup, dist.group.WORLD if not gpus else dist.new_group(backend="gloo"))


def _group_of(tensor: Tensor, group: dist.ProcessGroup) -> dist.ProcessGroup | None:
    """Return the group in which a tensor is exchanged; None: the one of all devices."""
    return group if tensor.device.type == "cpu" else None


def _raise_lost(processes: _Processes, error: Exception, whom: int | None = None) -> NoReturn:
    """Raise LostProcessError, which names the processes that did not come where they are known."""
    if ended := _ended(processes):
        what = f"{_names(ended)} of {processes.size} has ended"
    else:
        behind = [whom] if whom is not None else _behind(processes)
        what = (
            f"{_names(behind) or 'another process'} of {processes.size} has ended, or did not "
            f"answer within {processes.patience.total_seconds():.0f} s ({_first_line(error)})"
        )
    raise LostProcessError(f"{what}; the same command goes on from the last checkpoint") from error


def _names(numbers: Sequence[int]) -> str:
    return " and ".join(f"process {number + 1}" for number in numbers)


def _ended(processes: _Processes) -> list[int]:
    """Find the processes of this machine that have ended."""
    ended = []
    with suppress(RuntimeError):
        for number in range(processes.size):
            name = f"process-{number}"
            if not processes.store.check([name]):
                continue
            pid, host = processes.store.get(name).decode().split()
            if host == socket.gethostname() and not _runs(int(pid)):
                ended.append(number)
    return ended


def _runs(pid: int) -> bool:
    """Whether a process of this machine runs; one that nobody has taken notice of yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(OSError), open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"
    return True


def _behind(processes: _Processes) -> list[int]:
    """Find the processes that have met less often than this one, as far as they are known."""
    behind = []
    with suppress(RuntimeError):
        for number in range(processes.size):
            name = f"met-{number}"
            known = processes.store.check([name])
            if (int(processes.store.get(name)) if known else 0) < processes.met:
                behind.append(number)
    return behind


def _first_line(error: Exception) -> str:
    """Cut what torch says of an error to what happened."""
    first = str(error).strip().partition("\n")[0]
    for more in ("Exception raised from", "This is typically", "This may indicate"):
        first = first.partition(more)[0]
    return first.strip()


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    with torch.no_grad():
        return torch.cat([tensor.reshape(-1) for tensor in tensors])


def _unflatten(flat: Tensor, tensors: Sequence[Tensor]) -> None:
    with torch.no_grad():
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))
