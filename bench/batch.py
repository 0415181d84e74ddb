"""bench/batch.py: disk to finished batch against MONAI's PersistentDataset.

512 px source, 256 px view, three windows of a slice, random flip, batches of 32, one thread.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.data import WORK, in_turn, packed
from wetread.view.augment import Strengths, draw_augmentation
from wetread.view.device import to_view
from wetread.view.view import View
from wetread.view.window import BONE, BRAIN, SUBDURAL

SIZE, BATCH = 256, 32
VIEW = View((BRAIN, SUBDURAL, BONE), neighbors=0, size=SIZE)
FLIP_ONLY = Strengths(flip=0.5, rotate_degrees=0.0, scale=0.0, shift=0.0, hu_shift=0.0)


def compare() -> list[dict[str, Any]]:
    """Images a second and bytes an item, both from what each keeps on disk."""
    torch.set_num_threads(1)
    store, seconds = packed(SIZE)
    loader, cache = monai_loader()
    images = len(store) // BATCH * BATCH
    rng = np.random.default_rng(0)

    def ours() -> None:
        order = rng.permutation(len(store))[:images]
        for start in range(0, images, BATCH):
            hu = torch.from_numpy(store.read_hu(order[start : start + BATCH]))
            batch = to_view(hu[:, None], VIEW, draw_augmentation(FLIP_ONLY, BATCH, rng))
            assert batch.shape == (BATCH, 3, SIZE, SIZE)

    def theirs() -> None:
        for batch in loader:
            assert batch.shape == (BATCH, 3, SIZE, SIZE)

    ours_s, theirs_s = in_turn(ours, theirs)
    cache_bytes = sum(file.stat().st_size for file in cache.iterdir())
    return [
        {
            "name": "batch_vs_monai_persistent",
            "ours": images / ours_s,
            "theirs": images / theirs_s,
            "unit": "images a second",
            "ratio": theirs_s / ours_s,
            "remark": f"store packed at {SIZE} px in {seconds:.1f} s, once, from DICOM",
        },
        {
            "name": "batch_bytes_vs_monai_persistent",
            "ours": store.disk_bytes / len(store),
            "theirs": cache_bytes / len(store),
            "unit": "bytes an item",
            "ratio": cache_bytes / store.disk_bytes,
            "remark": "",
        },
    ]


def monai_loader() -> tuple[Any, Path]:
    """MONAI's way: windows and size in the cache, the flip after it."""
    from monai.data import DataLoader, PersistentDataset
    from monai.transforms import Compose, Lambda, RandFlip, Resize, ScaleIntensityRange

    full, _ = packed(None)
    source = WORK / "npy"
    source.mkdir(exist_ok=True)
    files = [source / f"{row:05d}.npy" for row in range(len(full))]
    for row, file in enumerate(files):
        if not file.is_file():
            np.save(file, full.read_hu([row])[0])
    ranges = [
        ScaleIntensityRange(window.low_hu, window.low_hu + window.width_hu, 0.0, 1.0, clip=True)
        for window in VIEW.windows
    ]

    def windows(path: str) -> torch.Tensor:
        hu = torch.from_numpy(np.load(path))
        return torch.stack([torch.as_tensor(scale(hu)) for scale in ranges])

    steps = Compose(
        [Lambda(windows, track_meta=False), Resize((SIZE, SIZE), mode="area"), RandFlip(0.5, 1)]
    )
    cache = WORK / "persistent"
    cache.mkdir(exist_ok=True)
    data = PersistentDataset([str(file) for file in files], steps, cache_dir=cache)
    for place in range(len(data)):
        data[place]
    return DataLoader(data, batch_size=BATCH, shuffle=True, drop_last=True, num_workers=0), cache
