"""outputs/probabilities.py: every probability of every reading in one long table."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wetread.archive.files.atomic import write_csv
from wetread.prediction.reading import Reading

SCHEMA: dict[str, pl.DataType] = {
    "level": pl.String(),
    "id": pl.String(),
    "finding": pl.String(),
    "probability": pl.Float64(),
}


def write_probabilities(readings: Sequence[Reading], path: Path) -> None:
    """Write probabilities.csv: level, id, finding, probability; studies, then their images."""
    write_csv(path, probability_table(readings))


def probability_table(readings: Sequence[Reading]) -> pl.DataFrame:
    """Return every probability of the readings as a frame, SCHEMA."""
    rows = [
        (level, row_id, finding, probability)
        for reading in readings
        for level, row_id, probabilities in (
            ("study", reading.study_uid, reading.study),
            *(("image", part.sop_instance_uid, part.probabilities) for part in reading.slices),
        )
        for finding, probability in probabilities.items()
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
