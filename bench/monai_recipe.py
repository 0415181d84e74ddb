"""bench/monai_recipe.py: MONAI's published 2-D classification recipe, for a comparison.

As its tutorial (2d_classification/mednist_tutorial) has it: ScaleIntensity, RandRotate(pi/12, 0.5),
RandFlip(0.5, left-right: the tutorial's images are transposed), RandZoom(0.9-1.1, 0.5),
DenseNet121, cross entropy, Adam, 10 epochs; float32. Adam 1e-4, 128 px and two classes for these
radiographs. The tutorial's batch of 300 would be one step an epoch here: 16.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from monai.networks.nets.densenet import DenseNet121
from monai.transforms.compose import Compose
from monai.transforms.intensity.array import ScaleIntensity
from monai.transforms.spatial.array import RandFlip, RandRotate, RandZoom

SIZE, EPOCHS, BATCH, RATE = 128, 10, 16, 1e-4


def fit_predict(
    train_images: np.ndarray, train_labels: np.ndarray, test_images: np.ndarray, seed: int
) -> np.ndarray:
    """Images (N, H, W) float32, labels (N,) 0 or 1, images (M, H, W): (M,) probabilities."""
    labels = torch.as_tensor(np.asarray(train_labels)).long()
    train, test = _sized(train_images), _sized(test_images)
    change = Compose(
        [
            ScaleIntensity(),
            RandRotate(range_x=np.pi / 12, prob=0.5, keep_size=True),
            RandFlip(spatial_axis=1, prob=0.5),
            RandZoom(min_zoom=0.9, max_zoom=1.1, prob=0.5),
        ]
    ).set_random_state(seed=seed)
    order = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = DenseNet121(spatial_dims=2, in_channels=1, out_channels=2)
    model = model.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(train), generator=order).split(BATCH):
            if len(rows) == 1:  # BatchNorm learns nothing from one image at 1 x 1
                continue
            images = torch.stack([torch.as_tensor(np.asarray(change(train[row]))) for row in rows])
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(images.float()), labels[rows])
            loss.backward()
            optimizer.step()
    model.eval()
    plain = ScaleIntensity()
    with torch.inference_mode():
        images = torch.stack([torch.as_tensor(np.asarray(plain(one))) for one in test])
        predicted: np.ndarray = model(images.float()).softmax(1)[:, 1].double().numpy()
    return predicted


def _sized(images: np.ndarray) -> np.ndarray:
    """(N, H, W) to (N, 1, SIZE, SIZE) float32, area means."""
    small = [cv2.resize(one, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for one in images]
    return np.asarray(small, np.float32)[:, None]
