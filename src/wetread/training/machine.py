"""training/machine.py: the machine.json of a run: on what, in which software and when it trained.

A file of its own: all other files of two runs of one seed are equal. A run that is stopped and goes
on, elsewhere too, has a session more. No name of a host, a user or a home folder is in it.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

import torch

from wetread.archive.executor.workers import available_cores
from wetread.archive.files.atomic import write_whole
from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.files.json_file import read_json
from wetread.archive.types import JsonObject
from wetread.archive.version import VERSION
from wetread.training.device import choose_runtime
from wetread.training.recipe import Recipe

FILE = "machine.json"
WANTED = "on which machines a run was trained, which wetread train writes; remove it"
PACKAGES = ("torch", "numpy", "monai", "scikit-learn", "scipy", "polars")
SOURCES = (".py", ".toml", ".j2", ".js", ".css")


@dataclass(frozen=True)
class Machine:
    """A machine and its software, as far as numbers depend on them.

    source:      a digest of the installed package, of its version or changed.
    kernels:     the instructions for which torch chose its own (AVX2, AVX512, DEFAULT).
    threads:     inside an operation of torch.
    device_name: of the GPU, or the processor again.
    precision:   in which the network multiplies, resolved.
    """

    wetread: str
    source: str
    python: str
    packages: dict[str, str | None]
    system: str
    processor: str
    cores: int
    kernels: str
    threads: int
    device: str
    device_name: str
    precision: str
    deterministic: bool


def describe_machine(recipe: Recipe) -> Machine:
    """Describe this machine as a recipe uses it. ValueError where it lacks the recipe's device."""
    runtime = choose_runtime(recipe)
    gpu = runtime.device.type == "cuda"
    return Machine(
        wetread=VERSION,
        source=source_digest(),
        python=platform.python_version(),
        packages={name: _version(name) for name in PACKAGES},
        system=f"{platform.system()} {platform.machine()}",
        processor=processor_name(),
        cores=available_cores(),
        kernels=torch.backends.cpu.get_cpu_capability(),
        threads=recipe.runtime.threads or available_cores(),
        device=str(runtime.device),
        device_name=torch.cuda.get_device_name(runtime.device) if gpu else processor_name(),
        precision=str(runtime.precision).removeprefix("torch."),
        deterministic=recipe.runtime.deterministic,
    )


@cache
def source_digest() -> str:
    """Digest the files of the installed package, names and contents, SHA-256: equal where the same
    code runs."""
    top, digest = Path(str(files("wetread"))), hashlib.sha256()
    for path in sorted(path for path in top.rglob("*") if path.suffix in SOURCES):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(top).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def processor_name() -> str:
    """Name the processor as its maker does, its architecture where the system does not say."""
    with suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(errors="replace")
        if found := re.search(r"^model name\s*: *(.+)$", text, re.MULTILINE):
            return " ".join(found[1].split())
    return platform.processor() or platform.machine()


_SESSION: ContextVar[str] = ContextVar("session", default="")  # that this process has begun


@contextmanager
def recorded_session(folder: Path, recipe: Recipe) -> Iterator[None]:
    """Add a session to the folder's machine.json, and in the end how long it took and whether it
    finished; killed, it has no end."""
    begun: JsonObject = {
        "began": _now(),
        "ended": None,
        "seconds": None,
        "finished": False,
        "splits": {},
    }
    before = _sessions(folder)
    first = {} if before else {"id": uuid4().hex}  # of the run, by which mirrors know it again
    own = uuid4().hex  # several processes may each fit a fold of it
    machine = asdict(describe_machine(recipe))
    _write(folder, [*before, first | {"session": own} | machine | begun])
    start, finished, token = time.monotonic(), False, _SESSION.set(own)
    try:
        yield
        finished = True
    finally:
        _SESSION.reset(token)
        ended = {"ended": _now(), "seconds": _since(start), "finished": finished}
        _change(folder, own, lambda session: session | ended)


@contextmanager
def recorded_split(folder: Path, name: str) -> Iterator[None]:
    """Note in the session of this process when a split's training began, and how long it took;
    nothing where it has none."""
    began, start = _now(), time.monotonic()
    yield
    split = {name: {"began": began, "ended": _now(), "seconds": _since(start)}}
    _change(folder, _SESSION.get(), lambda one: one | {"splits": one["splits"] | split})


def read_sessions(folder: Path) -> tuple[JsonObject, ...]:
    """Read the sessions of a run, in the order in which they began; none of a run from before they
    were kept. DamagedFileError where the file is of another form."""
    path = folder / FILE
    if not path.is_file():
        return ()
    sessions = read_json(path, WANTED, {"sessions": list})["sessions"]
    if not sessions or not all(isinstance(one, dict) and "began" in one for one in sessions):
        raise DamagedFileError(path, WANTED, "sessions of another form")
    return tuple(sessions)


def _sessions(folder: Path) -> list[JsonObject]:
    """Read the sessions before; a damaged file is written anew."""
    with suppress(DamagedFileError):
        return list(read_sessions(folder))
    return []


def _change(folder: Path, own: str, change: Callable[[JsonObject], JsonObject]) -> None:
    """Change one session, where the folder has it."""
    sessions = _sessions(folder)
    if own and any(one.get("session") == own for one in sessions):
        _write(folder, [change(one) if one.get("session") == own else one for one in sessions])


def _write(folder: Path, sessions: list[JsonObject]) -> None:
    text = json.dumps({"sessions": sessions}, indent=1, allow_nan=False)
    write_whole(folder / FILE, f"{text}\n".encode())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _since(start: float) -> float:
    return round(time.monotonic() - start, 3)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
