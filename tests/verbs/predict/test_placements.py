"""tests/verbs/predict/test_placements.py: studies placed by bounds of what read them."""

from dataclasses import replace

import numpy as np

from wetread.prediction.in_distribution import RunBounds
from wetread.prediction.placement import NOT_KNOWN
from wetread.prediction.readers import make_reader
from wetread.training.bounds import Bounds, Limit
from wetread.training.study_features import fit_references, pooled_features
from wetread.verbs.predict.placements import place_read
from wetread.verbs.predict.read_archive import ReadArchive, archive_readings


def test_a_study_is_placed_by_the_headers_and_pictures_of_its_series(
    read_archive: ReadArchive,
) -> None:
    network = read_archive.reader.ensemble.members[0].model
    rows = np.arange(len(read_archive.store))
    features = pooled_features(network, read_archive.store, rows)
    references = fit_references(features, {"1.7": rows}, 12)
    farthest = float(references.slices.distances(features).max())
    limits = {"pictures": Limit(2 * farthest, 20, farthest, farthest)}
    bounds = Bounds(
        "best.pt", 20, {"slices": (20.0, 30.0)}, {"modality": ("CT",)}, limits, references
    )

    def placed(bounds: Bounds | None) -> ReadArchive:
        run = None if bounds is None else RunBounds(bounds, network)
        ensemble = replace(read_archive.reader.ensemble, bounds=(run,))
        reader = make_reader(ensemble, read_archive.task.spec, read_archive.store.path / "features")
        read = replace(read_archive, reader=reader)
        return replace(read, placements=place_read(read))

    assert [one.name for one in placed(bounds).placements["1.7"].reasons] == ["slices"]
    inside = replace(bounds, ranges={"slices": (5.0, 5.0)})
    assert placed(inside).placements["1.7"].inside is True
    assert placed(None).placements["1.7"] == NOT_KNOWN
    read, unread = archive_readings(placed(bounds), [])
    assert read.to_dict()["in_distribution"]["inside"] is False
    assert unread.to_dict()["in_distribution"] == {"inside": None, "reasons": []}
