"""cli/examples.py: the text below each command's help: what can be named, then examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.markup import escape
from typer.core import TyperCommand

EXAMPLES: dict[str, tuple[str, ...]] = {
    "index": (
        "wetread index archive.zip more/ -o index.parquet",
        "wetread index archive/ -o table.csv",
    ),
    "show": (
        "wetread show image.dcm --picture image.png",
        "wetread show archive.zip",
    ),
    "explore": (
        "wetread explore archive/ -o page.html --labels labels.csv --task hemorrhage",
        "wetread explore index.parquet -o page.html --folds run/folds.json --csv tables",
        "wetread explore train/ -o page.html --against test.zip --strict",
        "wetread explore --labels reads.csv -o readers.html",
    ),
    "pack": ("wetread pack index.parquet -o store",),
    "baseline": (
        "wetread baseline hemorrhage --data archive --labels labels.csv -o floor",
        "wetread baseline pneumothorax --data images -o floor"
        " --labels train-rle.csv --patients patients.csv",
        "wetread baseline hemorrhage --data archive --labels labels.csv -o floor --unseen new.zip",
    ),
    "train": (
        "wetread train hemorrhage --data archive --labels labels.csv -o run",
        "wetread train pneumothorax --data images -o run --folds 5"
        " --labels train-rle.csv --patients patients.csv",
        "wetread train hemorrhage --data archive --labels labels.csv -o run"
        " --recipe resnet18 --set size=256 --epochs 4",
    ),
    "evaluate": (
        "wetread evaluate run --slides",
        "wetread evaluate readings --labels labels.csv --patients patients.csv",
        "wetread evaluate first second --labels labels.csv -o compared",
        "wetread evaluate probabilities.csv --readers reads.csv",
    ),
    "calibrate": ("wetread calibrate run --data here.zip --labels labels.csv -o run-here",),
    "predict": (
        "wetread predict new.zip --run run -o readings",
        "wetread predict new/ --run first --run second -o readings --blend",
        "wetread predict new/ --bundle bundle -o readings",
        "wetread predict new/ --run run -o readings --prevalence any=0.05 --at sensitivity=0.95",
    ),
    "bundle": (
        "wetread bundle run -o bundle",
        "wetread bundle run -o bundle --at sensitivity=0.95 --weights-license CC-BY-4.0",
    ),
    "features": ("wetread features new.zip --run run -o features",),
    "blend": ("wetread blend first.csv second.csv -o submission.csv --weights 0.7,0.3",),
    "score": ("wetread score hemorrhage --truth labels.csv --submission submission.csv",),
    "windows": (
        "wetread windows",
        "wetread windows archive/ -o windows.html",
        "wetread windows --mode brain --hu -1000,0,40,80",
    ),
    "montage": (
        "wetread montage archive/ -o windows.png --layout windows --window brain --window bone",
        "wetread montage index.parquet -o random.png --layout random --count 24",
    ),
    "scroll": (
        "wetread scroll study.zip -o scroll.html",
        "wetread scroll chest/ -o scroll.html --window lung --mask lungs.nii.gz",
        "wetread scroll study/ -o pages --all",
    ),
    "export": (
        "wetread export png archive/ -o pictures --window brain --annotate",
        "wetread export nifti index.parquet -o volumes",
    ),
    "segment": (
        "wetread segment lungs chest/ -o lungs --page",
        "wetread segment bone head/ -o bone --threshold 300 --mesh stl",
    ),
    "phantom": ("wetread phantom hemorrhage -o phantoms --studies 50",),
    "demo": ("wetread demo -o demo", "wetread demo pneumothorax -o demo-chest"),
    "doctor": ("wetread doctor",),
}


def task_names() -> list[str]:
    """List the built-in tasks, also for shell completion."""
    from wetread.tasks import TASKS

    return list(TASKS)


def recipe_names() -> list[str]:
    """List the recipes in the package, also for shell completion."""
    from wetread.training.recipe_file import recipe_names as names

    return names()


def organ_names() -> list[str]:
    """List the organs that `segment` finds, for shell completion."""
    from wetread.verbs.segment.organs import ORGANS

    return list(ORGANS)


def _tasks() -> str:
    return f"Tasks: {', '.join(task_names())}"


def _recipes() -> str:
    from wetread.tasks import TASKS

    first = ", ".join(f"{task.recipe} of {name}" for name, task in TASKS.items())
    return f"Recipes: {', '.join(recipe_names())}. Where none is named: {first}"


AVAILABLE: dict[str, Sequence[Callable[[], str]]] = {
    "baseline": (_tasks,),
    "train": (_tasks, _recipes),
    "evaluate": (_tasks,),
    "score": (_tasks,),
    "phantom": (_tasks,),
    "demo": (_tasks,),
}


def help_epilog(command: str) -> str:
    """Return the text below a command's help: what there is, then examples, as lines."""
    sections = [list_of() for list_of in AVAILABLE.get(command, ())]
    examples = EXAMPLES[command]
    heading = "Example:" if len(examples) == 1 else "Examples:"
    return "\n\n".join(map(escape, (*sections, heading, *examples)))


class WithExamples(TyperCommand):
    """A command that makes the text below its help when the help is printed."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # Typer's types differ by release
        """Write Typer's help with the examples below it."""
        self.epilog = help_epilog(self.name or "")
        super().format_help(ctx, formatter)
