"""outputs/reading.py: one study's reading as a JSON file."""

import json
from pathlib import Path

from wetread.archive.files.atomic import write_whole
from wetread.prediction.reading import Reading


def write_reading(reading: Reading, path: Path) -> None:
    """Write a reading as indented JSON; ValueError for a probability that is not a number."""
    text = json.dumps(reading.to_dict(), indent=1, allow_nan=False, ensure_ascii=False)
    write_whole(path, f"{text}\n".encode())
