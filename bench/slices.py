"""bench/slices.py: random slices out of the store against 16-bit PNG files read by OpenCV."""

from typing import Any

import cv2
import numpy as np

from bench.data import WORK, in_turn, packed

READS = 150


def compare() -> list[dict[str, Any]]:
    """Milliseconds a slice, and bytes on disk, of the same slices at full size."""
    cv2.setNumThreads(1)
    store, seconds = packed(None)
    folder = WORK / "png"
    folder.mkdir(exist_ok=True)
    files = [folder / f"{row:05d}.png" for row in range(len(store))]
    offset = 32768  # PNG holds unsigned words
    for row, file in enumerate(files):
        if not file.is_file():
            cv2.imwrite(str(file), (store.read(row).astype(np.int32) + offset).astype(np.uint16))
    order = np.random.default_rng(0).permutation(len(store))
    wanted = [int(row) for row in np.resize(order, READS)]
    for row in wanted[:20]:
        png = cv2.imread(str(files[row]), cv2.IMREAD_UNCHANGED)
        assert png is not None
        assert np.array_equal(png.astype(np.int32) - offset, store.read(row)), row
    ours, theirs = in_turn(
        lambda: [store.read(row) for row in wanted],
        lambda: [cv2.imread(str(files[row]), cv2.IMREAD_UNCHANGED) for row in wanted],
    )
    png_bytes = sum(file.stat().st_size for file in files)
    return [
        {
            "name": "store_random_slice_vs_png16",
            "ours": ours / READS * 1e3,
            "theirs": theirs / READS * 1e3,
            "unit": "ms a slice",
            "ratio": theirs / ours,
            "remark": f"{len(store)} slices of 512 x 512, packed in {seconds:.1f} s",
        },
        {
            "name": "store_bytes_vs_png16",
            "ours": store.disk_bytes / len(store),
            "theirs": png_bytes / len(store),
            "unit": "bytes a slice",
            "ratio": png_bytes / store.disk_bytes,
            "remark": "",
        },
    ]
