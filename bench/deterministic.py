"""bench/deterministic.py: what `runtime.deterministic` brings on one machine, and its price.

    python -m bench.deterministic --out FOLDER

One processor stands for several: torch, MKL, oneDNN and the C library are told by their environment
to pass over instructions that it has. Equal: whether the weights that are kept, and predictions and
scores, have the same bytes under all of them. Price: CPU time of a training step, medians of
processes in turn.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

OTHERS: dict[str, dict[str, str]] = {  # processors that this one stands for
    "as it is": {},
    "ATEN default": {"ATEN_CPU_CAPABILITY": "default"},
    "ATEN avx2": {"ATEN_CPU_CAPABILITY": "avx2"},
    "ATEN avx512": {"ATEN_CPU_CAPABILITY": "avx512"},
    "oneDNN SSE41": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    "oneDNN AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "MKL SSE4_2": {"MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
    "MKL AVX2": {"MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "glibc without FMA, AVX2": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-AVX2,-FMA4"},
    "OpenBLAS Nehalem": {"OPENBLAS_CORETYPE": "Nehalem"},
    "NumPy without AVX2, AVX512": {
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512_SKX AVX512_ICL X86_V3 X86_V4"
    },
}
FILES = ("model-0/best.pt", "predictions.parquet", "scores.json")
STEPS, TURNS = 12, 3


def phantoms(out: Path) -> Path:
    """Write heads to learn from, once."""
    archive = out / "phantoms"
    if not (archive / "stage_2_train.csv").is_file():
        run(["phantom", "hemorrhage", "-o", str(archive), "--studies", "10", "--seed", "3"], {})
    return archive


def run(words: list[str], environment: dict[str, str]) -> None:
    """Run a command of wetread."""
    clean = {k: v for k, v in os.environ.items() if all(k not in one for one in OTHERS.values())}
    done = subprocess.run(
        [sys.executable, "-m", "wetread", *words],
        env={**clean, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)


def digests(out: Path, name: str, deterministic: bool, environment: dict[str, str]) -> list[str]:
    """Train under an environment; a digest of each of FILES."""
    archive, folder = phantoms(out), out / f"{'held' if deterministic else 'free'}-{name}"
    words = ["train", "hemorrhage", "--data", str(out / "index.parquet"), "-o", str(folder)]
    words += ["--labels", str(archive / "stage_2_train.csv"), "--epochs", "2", "--workers", "1"]
    for setting in ("size=48", "runtime.precision=float32", "runtime.device=cpu"):
        words += ["--set", setting]
    run([*words, "--set", f"runtime.deterministic={str(deterministic).lower()}"], environment)
    return [hashlib.sha256((folder / file).read_bytes()).hexdigest()[:12] for file in FILES]


def step_seconds(out: Path, recipe_name: str, deterministic: bool) -> float:
    """CPU time of a training step, the median of a process of its own."""
    words = [sys.executable, "-m", "bench.deterministic", "--out", str(out), "--steps", recipe_name]
    words += ["--deterministic"] if deterministic else []
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def time_steps(out: Path, recipe_name: str, deterministic: bool) -> float:
    """Time steps in this process."""
    from wetread.training.deterministic import pin_kernels
    from wetread.training.recipe_file import read_recipe

    settings = ["runtime.device=cpu", "runtime.precision=float32", "epochs=1", "size=128",
                "negatives_per_positive=0", "phantoms.studies=0", "pretrained=false",
                f"runtime.deterministic={str(deterministic).lower()}"]  # fmt: skip
    recipe = read_recipe(recipe_name, settings)
    pin_kernels(recipe)
    import tempfile

    import numpy as np

    from wetread.store.store import open_store
    from wetread.training.run import Run
    from wetread.training.slices.batches import train_set
    from wetread.training.slices.loop import train
    from wetread.training.trained_model import build_network

    store, rng = open_store(out / "store"), np.random.default_rng(0)
    rows = rng.integers(0, store.slices.height, STEPS * recipe.batch_size)
    truth = (rng.random((len(rows), 6)) < 0.3).astype(float)
    times = [time.process_time()]
    with tempfile.TemporaryDirectory() as folder:
        train(
            build_network(recipe, 6, 0),
            train_set(store, rows, truth, [1.0] * 6, list(range(6))),
            recipe, findings=list("abcdef"), run=Run(Path(folder)),
            progress=lambda done, total: times.append(time.process_time()),
        )  # fmt: skip
    return statistics.median(np.diff(times)[2:].tolist())


def main() -> None:
    """Measure, or one process of it; one line a result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", help="of a recipe; one process of the price")
    parser.add_argument("--deterministic", action="store_true")
    asked = parser.parse_args()
    if asked.steps:
        sys.stdout.write(f"{time_steps(asked.out, asked.steps, asked.deterministic)}\n")
        return
    archive = phantoms(asked.out)
    run(["index", str(archive), "-o", str(asked.out / "index.parquet"), "--workers", "1"], {})
    for deterministic in (False, True):
        first: list[str] = []
        for name, environment in OTHERS.items():
            found = digests(asked.out, name.replace(" ", "-"), deterministic, environment)
            first = first or found
            equal = {file: a == b for file, a, b in zip(FILES, first, found, strict=True)}
            say({"deterministic": deterministic, "under": name, "equal": equal})
    run(["pack", str(asked.out / "index.parquet"), "-o", str(asked.out / "store")], {})
    for recipe in ("compact", "resnet18"):
        turns = [[step_seconds(asked.out, recipe, way) for way in (False, True)]
                 for _ in range(TURNS)]  # fmt: skip
        free, held = (statistics.median(times) for times in zip(*turns, strict=True))
        ratios = [round(b / a, 2) for a, b in turns]
        say({"recipe": recipe, "price": round(held / free, 2), "turns": ratios})


def say(result: object) -> None:
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
