"""tests/training/test_crops.py: each crop of a task's series has its box and its store."""

import numpy as np
import pytest

from wetread.tasks import TASKS


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_series_gets_as_many_boxes_as_there_are_stores_and_networks(name: str) -> None:
    task = TASKS[name]
    crops = task.crops
    assert crops.stores[0] == "store"  # pages take their pictures there
    assert len(set(crops.stores)) == len(crops.stores) == len(task.networks)
    values = np.full((6, 40, 48), -1000, np.float32)
    values[:, 8:32, 10:40] = 40
    assert len(crops.find_boxes(values)) == len(crops.stores)
