"""outputs/tensorboard.py: a run's numbers as events for TensorBoard, each once.

The events that lie there are read first, so nothing else has to remember what was written. A file
of events is written whole and never changed: TensorBoard may read while a run goes on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from wetread.archive.files.atomic import write_whole
from wetread.outputs.optional import import_optional
from wetread.outputs.run_numbers import RunNumbers

EXTRA = "tensorboard"
CLOSE = 1e-5  # relative: events hold float32
Points = Mapping[str, Mapping[int, float]]  # name -> step -> value


def write_tensorboard(numbers: RunNumbers, folder: Path) -> int:
    """Write what TensorBoard's folder does not have yet, below the run's name, a folder a network;
    return how many numbers.

    ValueError where epochs of another training lie there under that name; MissingExtraError where
    TensorBoard is not installed.
    """
    top = folder / numbers.name
    written = sum(
        _append(top / network, points, fixed=True) for network, points in numbers.epochs.items()
    )
    scores = {f"scores/{name}": {numbers.last_step: value} for name, value in
              numbers.scores.items()}  # fmt: skip
    return written + _append(top, scores, fixed=False, settings=numbers.settings)


def _append(
    folder: Path,
    points: Points,
    *,
    fixed: bool,
    settings: Mapping[str, bool | int | float | str] | None = None,
) -> int:
    """Write the points that are not there; fixed: a point never changes, ValueError where it did.
    settings: written where the folder has no event yet."""
    there = read_events(folder)
    new: list[tuple[str, int, float]] = []
    for name, values in points.items():
        before = there.get(name, {})
        for step, value in values.items():
            if step not in before:
                new.append((name, step, value))
            elif not math.isclose(before[step], value, rel_tol=CLOSE, abs_tol=CLOSE):
                if fixed:
                    raise ValueError(
                        f"{folder}: {name} of epoch {step} is {before[step]:.6g} there and "
                        f"{value:.6g} in the run: events of another training; give another folder"
                    )
                new.append((name, step, value))
    if new:
        _write(folder, new, None if there else settings)
    return len(new)


def read_events(folder: Path) -> dict[str, dict[int, float]]:
    """Read the scalars of a folder's events, name to step to value, of a step the last one; none
    where there is no event."""
    if not any(folder.glob("*tfevents*")):
        return {}
    module = import_optional("tensorboard.backend.event_processing.event_accumulator", EXTRA)
    events = module.EventAccumulator(str(folder), size_guidance={module.SCALARS: 0})
    events.Reload()
    return {
        tag: {event.step: event.value for event in events.Scalars(tag)}
        for tag in events.Tags()[module.SCALARS]
    }


def _write(
    folder: Path,
    points: list[tuple[str, int, float]],
    settings: Mapping[str, bool | int | float | str] | None,
) -> None:
    event_pb2 = import_optional("tensorboard.compat.proto.event_pb2", EXTRA)
    summary_pb2 = import_optional("tensorboard.compat.proto.summary_pb2", EXTRA)
    records = import_optional("tensorboard.summary.writer.record_writer", EXTRA)
    hparams = import_optional("tensorboard.plugins.hparams.summary_v2", EXTRA)
    now, buffer = time.time(), BytesIO()
    writer = records.RecordWriter(buffer)
    writer.write(event_pb2.Event(wall_time=now, file_version="brain.Event:2").SerializeToString())
    if settings:
        summary = hparams.hparams_pb(dict(settings))
        writer.write(event_pb2.Event(wall_time=now, summary=summary).SerializeToString())
    for name, step, value in points:
        scalar = summary_pb2.Summary.Value(tag=name, simple_value=value)
        event = event_pb2.Event(
            wall_time=now, step=step, summary=summary_pb2.Summary(value=[scalar])
        )
        writer.write(event.SerializeToString())
    folder.mkdir(parents=True, exist_ok=True)
    # TensorBoard reads files in the order of their names, and by itself puts the host into them.
    number = len(list(folder.glob("*tfevents*")))
    write_whole(folder / f"events.out.tfevents.{int(now)}.{number:06d}.wetread", buffer.getvalue())
