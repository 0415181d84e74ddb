"""bench/feed.py: disk to batches of a training against folders of PNG, MONAI's PersistentDataset
and tensors in memory.

256 px, three neighboring slices, three windows, batches of 32, one thread of each library; drawn
as the default recipe draws: flip, rotation, scale, shift, HU shift. Rounds in turn, medians of CPU
time, the first round dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from bench.data import WORK, packed
from wetread.archive.types import Float32Array, Int64Array, UInt8Array
from wetread.store.store import Store
from wetread.training.device import map_large_tensors
from wetread.training.recipe import Recipe
from wetread.training.slices.batches import (
    TrainSet,
    batches,
    neighbor_rows,
    read_with_neighbors,
    train_set,
)
from wetread.view.augment import Augmentation, draw_augmentation
from wetread.view.device import to_view
from wetread.view.window import apply_window

SIZE, BATCH, READERS = 256, 32, 2
ROUNDS, STEP_ROUNDS = 7, 10
RECIPE = Recipe(neighbors=1, size=SIZE, batch_size=BATCH, negatives_per_positive=0).with_settings(
    {"runtime.readers": READERS}
)
VIEW = RECIPE.view
FINDINGS, MEMBERS = 6, 5


def compare() -> list[dict[str, Any]]:
    """Microseconds a sample of each feed, and bytes an item."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    map_large_tensors()  # as a training does
    store, _ = packed(SIZE)
    around = neighbor_rows(store.slices, np.arange(len(store) // BATCH * BATCH), VIEW)
    pictures = write_pictures(store)
    return [
        *compare_host(store, around, pictures),
        *compare_end_to_end(store, around, pictures),
        *compare_steps(),
        *compare_members(),
    ]


def taken_in_turn(
    works: Sequence[Callable[[], object]], rounds: int = ROUNDS
) -> list[tuple[float, float]]:
    """Median CPU and clock seconds of each work, round by round in turn, the first dropped."""
    taken: list[list[tuple[float, float]]] = [[] for _ in works]
    for _ in range(rounds):
        for work, seconds in zip(works, taken, strict=True):
            cpu, clock = process_time(), perf_counter()
            work()
            seconds.append((process_time() - cpu, perf_counter() - clock))
    return [(median(s[0] for s in own[1:]), median(s[1] for s in own[1:])) for own in taken]


def write_pictures(store: Store) -> list[str]:
    """Write each slice of a store as a PNG of its windows, once; its file by row."""
    folder = WORK / f"windowed-{SIZE}"
    folder.mkdir(exist_ok=True)
    files = [folder / f"{row:05d}.png" for row in range(len(store))]
    for row, file in enumerate(files):
        if not file.is_file():
            hu = store.read_hu([row])[0]
            grays = [np.rint(apply_window(hu, window) * 255) for window in VIEW.windows]
            cv2.imwrite(str(file), np.stack(grays, -1).astype(np.uint8))
    return [str(file) for file in files]


def orders(samples: int) -> list[Int64Array]:
    """Deal the samples into batches, in an order of chance."""
    order = np.random.default_rng(0).permutation(samples)
    return [order[start : start + BATCH] for start in range(0, samples, BATCH)]


def read_pictures(files: Sequence[str]) -> UInt8Array:
    """Read PNGs as (N, H, W, 3) uint8."""
    return np.stack([np.asarray(cv2.imread(file), np.uint8) for file in files])


def compare_host(store: Store, around: Int64Array, pictures: Sequence[str]) -> list[dict[str, Any]]:
    """Disk to (B, 3, H, W) of stored values against disk to (B, 3, H, W, 3) of windowed PNGs."""
    dealt = orders(len(around))

    def ours(batch: Int64Array) -> object:
        return read_with_neighbors(store, around[batch])

    def theirs(batch: Int64Array) -> object:
        files = [pictures[row] for row in around[batch].ravel().tolist()]
        return read_pictures(files).reshape(len(batch), VIEW.slices, SIZE, SIZE, 3)

    def alone(read: Callable[[Int64Array], object]) -> Callable[[], object]:
        return lambda: [read(batch) for batch in dealt]

    def threaded(read: Callable[[Int64Array], object]) -> Callable[[], object]:
        def work() -> None:
            with ThreadPoolExecutor(READERS) as pool:
                for _ in pool.map(read, dealt):
                    pass

        return work

    works = [alone(ours), alone(theirs), threaded(ours), threaded(theirs)]
    (ours_s, _), (theirs_s, _), (_, ours_2), (_, theirs_2) = taken_in_turn(works)
    of_clock = f"by the clock, {READERS} threads each: {theirs_2 / ours_2:.2f}"
    return [_row("feed_host_vs_png", ours_s, theirs_s, len(around), of_clock)]


def compare_end_to_end(
    store: Store, around: Int64Array, pictures: Sequence[str]
) -> list[dict[str, Any]]:
    """Disk to augmented views (B, 9, H, W)."""
    data = _train_set(store, np.arange(len(around)))
    dealt = orders(len(around))
    loader, cache = monai_loader(store, around)

    def ours() -> None:
        for batch in batches(data, RECIPE, 0):
            view = to_view(torch.from_numpy(batch.hu), VIEW, batch.augmentation)
            assert view.shape[1:] == (VIEW.channels, SIZE, SIZE)

    def of_pictures() -> None:
        rng = np.random.default_rng(0)

        def make(batch: Int64Array) -> Tensor:
            drawn = draw_augmentation(RECIPE.strengths, len(batch), rng)
            files = [[pictures[row] for row in rows] for rows in around[batch].tolist()]
            return augment_pictures(files, drawn)

        for view in map(make, dealt):
            assert view.shape[1:] == (VIEW.channels, SIZE, SIZE)

    def of_monai() -> None:
        for view in loader:
            assert view.shape[1:] == (VIEW.channels, SIZE, SIZE)

    (ours_s, ours_2), (png_s, png_2), (monai_s, _) = taken_in_turn([ours, of_pictures, of_monai])
    cache_bytes = sum(file.stat().st_size for file in cache.iterdir())
    items = len(around)
    remark = f"by the clock, one thread and {READERS} readers against one thread: "
    return [
        _row("feed_end_to_end_vs_png", ours_s, png_s, items, f"{remark}{png_2 / ours_2:.2f}"),
        _row("feed_end_to_end_vs_monai_persistent", ours_s, monai_s, items, ""),
        {
            "name": "feed_bytes_vs_monai_persistent",
            "ours": store.disk_bytes / len(store),
            "theirs": cache_bytes / items,
            "unit": "bytes an item",
            "ratio": cache_bytes / items / (store.disk_bytes / len(store)),
            "remark": "an item of MONAI's holds its neighbors",
        },
    ]


def augment_pictures(files: Sequence[Sequence[str]], drawn: Augmentation) -> Tensor:
    """Read the PNGs of each sample and change them by OpenCV, all slices of one alike: views
    (B, 9, H, W) float32 in [0, 1]."""
    out = np.empty((len(files), VIEW.slices, SIZE, SIZE, 3), np.uint8)
    for place, own in enumerate(files):
        degrees, scale = float(np.rad2deg(drawn.angle[place])), float(drawn.scale[place])
        move = cv2.getRotationMatrix2D(((SIZE - 1) / 2, (SIZE - 1) / 2), degrees, scale)
        move[:, 2] += SIZE * drawn.shift_columns[place], SIZE * drawn.shift_rows[place]
        if drawn.flip[place]:
            move = move @ np.array([[-1, 0, SIZE - 1], [0, 1, 0], [0, 0, 1]], float)
        gray = [255 * float(drawn.hu_shift[place]) / window.width_hu for window in VIEW.windows]
        for number, file in enumerate(own):
            image = cv2.add(np.asarray(cv2.imread(file)), (*gray, 0.0))
            cv2.warpAffine(image, move, (SIZE, SIZE), dst=out[place, number])
    channels = torch.from_numpy(out).permute(0, 1, 4, 2, 3)
    return channels.float().div_(255).reshape(len(files), VIEW.channels, SIZE, SIZE)


def monai_loader(store: Store, around: Int64Array) -> tuple[Any, Path]:
    """MONAI's way: HU of the three slices in its cache, since their shift comes before the windows;
    one affine sampling after it, then the windows."""
    from monai.data import DataLoader, PersistentDataset
    from monai.transforms import (
        Compose,
        Lambda,
        RandAffine,
        RandFlip,
        RandShiftIntensity,
        ScaleIntensityRange,
    )

    source = WORK / f"neighbors-{SIZE}"
    source.mkdir(exist_ok=True)
    files = [source / f"{row:05d}.npy" for row in range(len(around))]
    for rows, file in zip(around, files, strict=True):
        if not file.is_file():
            np.save(file, store.read_hu(rows))
    ranges = [
        ScaleIntensityRange(window.low_hu, window.low_hu + window.width_hu, 0.0, 1.0, clip=True)
        for window in VIEW.windows
    ]

    def load(path: str) -> Tensor:
        return torch.from_numpy(np.load(path))

    def windows(hu: Tensor) -> Tensor:
        return torch.stack([torch.as_tensor(scale(hu)) for scale in ranges], 1).flatten(0, 1)

    strengths = RECIPE.strengths
    shift, radians = strengths.shift * SIZE, float(np.deg2rad(strengths.rotate_degrees))
    steps = Compose(
        [
            Lambda(load, track_meta=False),
            RandFlip(strengths.flip, 1),
            RandAffine(
                prob=1.0,
                rotate_range=radians,
                scale_range=(strengths.scale, strengths.scale),
                translate_range=(shift, shift),
                padding_mode="border",
                cache_grid=True,
                spatial_size=(SIZE, SIZE),
            ),
            RandShiftIntensity(strengths.hu_shift, prob=1.0),
            Lambda(windows, track_meta=False),
        ]
    )
    cache = WORK / f"persistent-neighbors-{SIZE}"
    cache.mkdir(exist_ok=True)
    data = PersistentDataset([str(file) for file in files], steps, cache_dir=cache)
    for place in range(len(data)):
        data[place]
    return DataLoader(data, batch_size=BATCH, shuffle=True, drop_last=True, num_workers=0), cache


def compare_steps() -> list[dict[str, Any]]:
    """A training step of the compact network on its own batches, from the store and from memory."""
    from wetread.training.device import choose_runtime
    from wetread.training.optimizer import make_optimizer, take_step, train_mode
    from wetread.training.slices.data_parallel import data_parallel
    from wetread.training.trained_model import build_network

    recipe = Recipe(negatives_per_positive=0)
    store, _ = packed(recipe.size)
    data = _train_set(store, np.arange(len(store) // recipe.batch_size * recipe.batch_size))
    runtime, settings = choose_runtime(recipe), recipe.optimizer
    model = train_mode(runtime.place(build_network(recipe, FINDINGS, 0)), settings)
    optimizer = make_optimizer(
        model, settings, learning_rate=settings.learning_rate, weight_decay=settings.weight_decay
    )
    memory = list(batches(data, recipe, 0))
    with data_parallel(model, recipe, runtime, torch.from_numpy(data.weights)) as parallel:

        def learn(fed: Any) -> None:
            for batch in fed:
                parallel.backward(batch)
                take_step(optimizer, model.parameters(), settings.max_norm)

        (ours_s, ours_clock), (theirs_s, theirs_clock) = taken_in_turn(
            [lambda: learn(batches(data, recipe, 0)), lambda: learn(memory)], STEP_ROUNDS
        )
    remark = f"{recipe.size} px, {runtime.precision}; by the clock {theirs_clock / ours_clock:.2f}"
    return [_row("training_step_vs_memory", ours_s, theirs_s, len(data.rows), remark)]


def compare_members() -> list[dict[str, Any]]:
    """Five networks of one view that read a store side by side, and one after the other."""
    from wetread.training.slices.ensemble_mean import read_mean
    from wetread.training.trained_model import TrainedModel, build_network

    recipe = Recipe()
    store, _ = packed(recipe.size)
    rows, mirror = np.arange(len(store)), list(range(FINDINGS))
    models = [
        TrainedModel(
            build_network(recipe, FINDINGS, 0).eval(),
            tuple(map(str, mirror)),
            (),
            recipe.view,
            recipe,
            negative_rate=1.0,
            epoch=0,
            value=None,
        )
        for _ in range(MEMBERS)
    ]

    def one_by_one() -> None:
        for model in models:
            read_mean([model], store, rows, mirror)

    (ours_s, _), (theirs_s, _) = taken_in_turn(
        [lambda: read_mean(models, store, rows, mirror), one_by_one]
    )
    remark = f"{MEMBERS} compact networks, {recipe.size} px, image and mirror image"
    return [_row("members_side_by_side", ours_s, theirs_s, len(rows), remark)]


def _train_set(store: Store, rows: Int64Array) -> TrainSet:
    targets: Float32Array = np.zeros((len(rows), FINDINGS), np.float32)
    targets[::4, 0] = 1
    return train_set(store, rows, targets)


def _row(name: str, ours_s: float, theirs_s: float, items: int, remark: str) -> dict[str, Any]:
    return {
        "name": name,
        "ours": ours_s / items * 1e6,
        "theirs": theirs_s / items * 1e6,
        "unit": "CPU microseconds an image",
        "ratio": theirs_s / ours_s,
        "remark": remark,
    }
