"""wetread: from a raw DICOM archive to findings. Research use only, not for diagnosis.

Verbs do what the command line does, readers open what lies on disk, nouns are what they return.
Each is loaded when it is first used: `import wetread` loads no torch, and neither do `index`,
`show`, `pack`, `export`, the windows and the readers of volumes.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

try:
    __version__ = version("wetread")
except PackageNotFoundError:  # run from a source tree that is not installed
    __version__ = "0+unknown"

if TYPE_CHECKING:  # the same names for type checkers, editors and the documentation
    from wetread.archive.errors import WetreadError as WetreadError
    from wetread.archive.files.damaged import DamagedFileError as DamagedFileError
    from wetread.archive.files.lock import BusyError as BusyError
    from wetread.archive.index.index import Index as Index
    from wetread.archive.index.index import read_index as read_index
    from wetread.archive.rejects import REASONS as REASONS
    from wetread.archive.rejects import RejectError as RejectError
    from wetread.evaluation.evaluation import Evaluation as Evaluation
    from wetread.evaluation.score import Score as Score
    from wetread.evaluation.score import Scores as Scores
    from wetread.evaluation.submission import SubmissionScores as SubmissionScores
    from wetread.inputs.volumes import read_slice as read_slice
    from wetread.inputs.volumes import read_volume as read_volume
    from wetread.labels.finding import Finding as Finding
    from wetread.labels.table import LabelError as LabelError
    from wetread.labels.table import LabelTable as LabelTable
    from wetread.prediction.reading import Reading as Reading
    from wetread.store.store import Store as Store
    from wetread.store.store import StoreError as StoreError
    from wetread.store.store import open_store as open_store
    from wetread.study.issue import Issue as Issue
    from wetread.study.series import series_slices as series_slices
    from wetread.study.slices import Slice as Slice
    from wetread.study.stack import resample as resample
    from wetread.study.volume import Volume as Volume
    from wetread.tasks import TASKS as TASKS
    from wetread.tasks import TaskFileError as TaskFileError
    from wetread.tasks import find_task as find_task
    from wetread.tasks.task import Task as Task
    from wetread.training.recipe import Recipe as Recipe
    from wetread.training.recipe_file import read_recipe as read_recipe
    from wetread.training.run import Run as Run
    from wetread.training.run import read_run as read_run
    from wetread.verbs.baseline.baseline import BaselineResult as BaselineResult
    from wetread.verbs.baseline.baseline import baseline as baseline
    from wetread.verbs.blend import BlendResult as BlendResult
    from wetread.verbs.blend import blend as blend
    from wetread.verbs.bundle.bundle import Bundle as Bundle
    from wetread.verbs.bundle.bundle import bundle as bundle
    from wetread.verbs.calibrate.calibrate import CalibrationResult as CalibrationResult
    from wetread.verbs.calibrate.calibrate import calibrate as calibrate
    from wetread.verbs.demo import DemoResult as DemoResult
    from wetread.verbs.demo import demo as demo
    from wetread.verbs.doctor import Installation as Installation
    from wetread.verbs.doctor import doctor as doctor
    from wetread.verbs.evaluate.evaluate import evaluate as evaluate
    from wetread.verbs.evaluate.predictions import evaluate_predictions as evaluate_predictions
    from wetread.verbs.explore.exploration import Exploration as Exploration
    from wetread.verbs.explore.explore import explore as explore
    from wetread.verbs.export import ExportResult as ExportResult
    from wetread.verbs.export import export as export
    from wetread.verbs.features import FeatureTable as FeatureTable
    from wetread.verbs.features import features as features
    from wetread.verbs.index import index as index
    from wetread.verbs.montage.montage import MontageResult as MontageResult
    from wetread.verbs.montage.montage import montage as montage
    from wetread.verbs.pack import pack as pack
    from wetread.verbs.phantom import PhantomArchive as PhantomArchive
    from wetread.verbs.phantom import phantom as phantom
    from wetread.verbs.predict.objects import ObjectOptions as ObjectOptions
    from wetread.verbs.predict.predict import Prediction as Prediction
    from wetread.verbs.predict.predict import predict as predict
    from wetread.verbs.runs.compare import RunComparison as RunComparison
    from wetread.verbs.runs.compare import compare_runs as compare_runs
    from wetread.verbs.runs.diff import RunDifferences as RunDifferences
    from wetread.verbs.runs.diff import diff_runs as diff_runs
    from wetread.verbs.runs.mirror import MirrorResult as MirrorResult
    from wetread.verbs.runs.mirror import mirror_runs as mirror_runs
    from wetread.verbs.runs.plot import plot_runs as plot_runs
    from wetread.verbs.runs.runs import Runs as Runs
    from wetread.verbs.runs.runs import export_runs as export_runs
    from wetread.verbs.runs.runs import runs as runs
    from wetread.verbs.score import score as score
    from wetread.verbs.scroll.scroll import ScrollResult as ScrollResult
    from wetread.verbs.scroll.scroll import scroll as scroll
    from wetread.verbs.segment.segment import SegmentResult as SegmentResult
    from wetread.verbs.segment.segment import segment as segment
    from wetread.verbs.show import ShownFile as ShownFile
    from wetread.verbs.show import ShownTree as ShownTree
    from wetread.verbs.show import show as show
    from wetread.verbs.task.check import TaskCheck as TaskCheck
    from wetread.verbs.task.check import check_task as check_task
    from wetread.verbs.task.new import NewTask as NewTask
    from wetread.verbs.task.new import new_task as new_task
    from wetread.verbs.task.show import show_task as show_task
    from wetread.verbs.train.train import TrainResult as TrainResult
    from wetread.verbs.train.train import train as train
    from wetread.verbs.windows import WindowsResult as WindowsResult
    from wetread.verbs.windows import windows as windows
    from wetread.view.mode import MODES as MODES
    from wetread.view.mode import Mode as Mode
    from wetread.view.mode import find_mode as find_mode
    from wetread.view.view import View as View
    from wetread.view.window import BONE as BONE
    from wetread.view.window import BRAIN as BRAIN
    from wetread.view.window import LUNG as LUNG
    from wetread.view.window import MEDIASTINUM as MEDIASTINUM
    from wetread.view.window import PULMONARY as PULMONARY
    from wetread.view.window import SOFT_HEAD as SOFT_HEAD
    from wetread.view.window import STROKE as STROKE
    from wetread.view.window import SUBDURAL as SUBDURAL
    from wetread.view.window import TEMPORAL_BONE as TEMPORAL_BONE
    from wetread.view.window import WINDOWS as WINDOWS
    from wetread.view.window import Window as Window
    from wetread.view.window import apply_window as apply_window
    from wetread.view.window import as_uint8 as as_uint8
    from wetread.view.window import find_window as find_window

# Heading of the reference, name, and the module it comes from. tests/test_library_types.py keeps
# this table and the imports above alike.
PUBLIC: dict[str, dict[str, str]] = {
    "Verbs": {
        "baseline": "wetread.verbs.baseline.baseline",
        "blend": "wetread.verbs.blend",
        "bundle": "wetread.verbs.bundle.bundle",
        "calibrate": "wetread.verbs.calibrate.calibrate",
        "check_task": "wetread.verbs.task.check",
        "compare_runs": "wetread.verbs.runs.compare",
        "demo": "wetread.verbs.demo",
        "diff_runs": "wetread.verbs.runs.diff",
        "doctor": "wetread.verbs.doctor",
        "evaluate": "wetread.verbs.evaluate.evaluate",
        "evaluate_predictions": "wetread.verbs.evaluate.predictions",
        "explore": "wetread.verbs.explore.explore",
        "export": "wetread.verbs.export",
        "export_runs": "wetread.verbs.runs.runs",
        "features": "wetread.verbs.features",
        "index": "wetread.verbs.index",
        "mirror_runs": "wetread.verbs.runs.mirror",
        "new_task": "wetread.verbs.task.new",
        "montage": "wetread.verbs.montage.montage",
        "pack": "wetread.verbs.pack",
        "phantom": "wetread.verbs.phantom",
        "plot_runs": "wetread.verbs.runs.plot",
        "predict": "wetread.verbs.predict.predict",
        "runs": "wetread.verbs.runs.runs",
        "score": "wetread.verbs.score",
        "scroll": "wetread.verbs.scroll.scroll",
        "segment": "wetread.verbs.segment.segment",
        "show": "wetread.verbs.show",
        "show_task": "wetread.verbs.task.show",
        "train": "wetread.verbs.train.train",
        "windows": "wetread.verbs.windows",
    },
    "Readers and functions": {
        "apply_window": "wetread.view.window",
        "as_uint8": "wetread.view.window",
        "find_mode": "wetread.view.mode",
        "find_task": "wetread.tasks",
        "find_window": "wetread.view.window",
        "open_store": "wetread.store.store",
        "read_index": "wetread.archive.index.index",
        "read_recipe": "wetread.training.recipe_file",
        "read_run": "wetread.training.run",
        "read_slice": "wetread.inputs.volumes",
        "read_volume": "wetread.inputs.volumes",
        "resample": "wetread.study.stack",
        "series_slices": "wetread.study.series",
    },
    "Nouns": {
        "Evaluation": "wetread.evaluation.evaluation",
        "Finding": "wetread.labels.finding",
        "Index": "wetread.archive.index.index",
        "Issue": "wetread.study.issue",
        "LabelTable": "wetread.labels.table",
        "Mode": "wetread.view.mode",
        "Reading": "wetread.prediction.reading",
        "Recipe": "wetread.training.recipe",
        "Run": "wetread.training.run",
        "Score": "wetread.evaluation.score",
        "Scores": "wetread.evaluation.score",
        "Slice": "wetread.study.slices",
        "Store": "wetread.store.store",
        "Task": "wetread.tasks.task",
        "View": "wetread.view.view",
        "Volume": "wetread.study.volume",
        "Window": "wetread.view.window",
    },
    "Results of verbs": {
        "BaselineResult": "wetread.verbs.baseline.baseline",
        "BlendResult": "wetread.verbs.blend",
        "Bundle": "wetread.verbs.bundle.bundle",
        "CalibrationResult": "wetread.verbs.calibrate.calibrate",
        "DemoResult": "wetread.verbs.demo",
        "Exploration": "wetread.verbs.explore.exploration",
        "ExportResult": "wetread.verbs.export",
        "FeatureTable": "wetread.verbs.features",
        "Installation": "wetread.verbs.doctor",
        "MirrorResult": "wetread.verbs.runs.mirror",
        "NewTask": "wetread.verbs.task.new",
        "MontageResult": "wetread.verbs.montage.montage",
        "ObjectOptions": "wetread.verbs.predict.objects",
        "PhantomArchive": "wetread.verbs.phantom",
        "Prediction": "wetread.verbs.predict.predict",
        "RunComparison": "wetread.verbs.runs.compare",
        "RunDifferences": "wetread.verbs.runs.diff",
        "Runs": "wetread.verbs.runs.runs",
        "ScrollResult": "wetread.verbs.scroll.scroll",
        "SegmentResult": "wetread.verbs.segment.segment",
        "ShownFile": "wetread.verbs.show",
        "ShownTree": "wetread.verbs.show",
        "SubmissionScores": "wetread.evaluation.submission",
        "TaskCheck": "wetread.verbs.task.check",
        "TrainResult": "wetread.verbs.train.train",
        "WindowsResult": "wetread.verbs.windows",
    },
    "Errors": {
        "BusyError": "wetread.archive.files.lock",
        "DamagedFileError": "wetread.archive.files.damaged",
        "LabelError": "wetread.labels.table",
        "RejectError": "wetread.archive.rejects",
        "StoreError": "wetread.store.store",
        "TaskFileError": "wetread.tasks",
        "WetreadError": "wetread.archive.errors",
    },
    "Constants": {
        "BONE": "wetread.view.window",
        "BRAIN": "wetread.view.window",
        "LUNG": "wetread.view.window",
        "MEDIASTINUM": "wetread.view.window",
        "MODES": "wetread.view.mode",
        "PULMONARY": "wetread.view.window",
        "REASONS": "wetread.archive.rejects",
        "SOFT_HEAD": "wetread.view.window",
        "STROKE": "wetread.view.window",
        "SUBDURAL": "wetread.view.window",
        "TASKS": "wetread.tasks",
        "TEMPORAL_BONE": "wetread.view.window",
        "WINDOWS": "wetread.view.window",
    },
}
_HOMES = {name: home for group in PUBLIC.values() for name, home in group.items()}

__all__ = ["__version__", *_HOMES]

if not TYPE_CHECKING:  # a type checker that saw it would take any name for public

    def __getattr__(name: str) -> object:
        """Load a public name from its module; AttributeError names the verbs there are, and
        MissingExtraError the extra that a verb needs."""
        if name not in _HOMES:
            verbs = ", ".join(PUBLIC["Verbs"])
            raise AttributeError(f"wetread has no verb or noun {name!r}; verbs are: {verbs}")
        try:
            return getattr(import_module(_HOMES[name]), name)
        except ImportError as error:
            from wetread.outputs.optional import missing_learn

            raise missing_learn(error) or error from error


def __dir__() -> list[str]:
    return sorted(__all__)
