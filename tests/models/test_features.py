"""tests/models/test_features.py: a parted network is the network."""

import pytest
import torch

from wetread.models.encoders import ENCODERS, build
from wetread.models.features import parted


@pytest.mark.parametrize("name", list(ENCODERS))
def test_features_through_the_last_layer_are_the_logits(name: str) -> None:
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)
        model = build(name, 3, 4).eval()
        body, head = parted(model)
        image = torch.rand(2, 3, 64, 64)
        features = body(image)
        assert features.shape == (2, head.in_features)
        torch.testing.assert_close(head(features.float()), model(image), atol=1e-5, rtol=1e-5)
