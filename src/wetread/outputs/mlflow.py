"""outputs/mlflow.py: a run's numbers in MLflow, each once; the experiment is the task."""

from __future__ import annotations

import time
from typing import Any

from wetread.outputs.optional import import_optional
from wetread.outputs.run_numbers import RunNumbers

EXTRA = "mlflow"
ID, NAME = "wetread.id", "wetread.name"
MOST_METRICS, MOST_PARAMETERS = 1000, 100  # of a batch, as MLflow's server takes them
LONGEST_PARAMETER = 500  # characters, of any store


def write_mlflow(numbers: RunNumbers, uri: str) -> int:
    """Write what MLflow does not have yet into the run of the same id and name, made where there is
    none, and mark it as the run is: finished, running or killed; return how many numbers.

    uri: of a tracking server, or of a folder or database as MLflow names them. MissingExtraError
    where MLflow is not installed.
    """
    mlflow = import_optional("mlflow", EXTRA)
    entities = import_optional("mlflow.entities", EXTRA)
    client = mlflow.MlflowClient(tracking_uri=uri)
    run = _find_or_create(client, entities, numbers)
    steps: dict[str, set[int]] = {}
    new = []
    now = int(time.time() * 1000)
    for key, step, value in _points(numbers):
        if key not in steps:
            steps[key] = {one.step for one in client.get_metric_history(run, key)}
        if step not in steps[key]:
            new.append(entities.Metric(key, value, now, step))
    for start in range(0, len(new), MOST_METRICS):
        client.log_batch(run, metrics=new[start : start + MOST_METRICS])
    if numbers.state == "running":
        client.update_run(run, status="RUNNING")
    else:
        client.set_terminated(run, status="FINISHED" if numbers.state == "ended" else "KILLED")
    return len(new)


def _points(numbers: RunNumbers) -> list[tuple[str, int, float]]:
    epochs = [
        (f"{network}/{name}", step, value)
        for network, names in numbers.epochs.items()
        for name, values in names.items()
        for step, value in values.items()
    ]
    return epochs + [(f"scores/{n}", numbers.last_step, v) for n, v in numbers.scores.items()]


def _find_or_create(client: Any, entities: Any, numbers: RunNumbers) -> str:
    experiment = client.get_experiment_by_name(f"wetread {numbers.task}")
    number = (
        client.create_experiment(f"wetread {numbers.task}")
        if experiment is None
        else experiment.experiment_id
    )
    quoted = numbers.name.replace("'", "\\'")
    found = client.search_runs(
        [number], f"tags.`{ID}` = '{numbers.id}' and tags.`{NAME}` = '{quoted}'", max_results=1
    )
    if found:
        return str(found[0].info.run_id)
    tags = {ID: numbers.id, NAME: numbers.name}
    run = client.create_run(
        number, start_time=numbers.began_ms, tags=tags, run_name=numbers.name
    ).info.run_id
    parameters = [
        entities.Param(key, str(value)[:LONGEST_PARAMETER])
        for key, value in numbers.settings.items()
    ]
    for start in range(0, len(parameters), MOST_PARAMETERS):
        client.log_batch(run, params=parameters[start : start + MOST_PARAMETERS])
    return str(run)
