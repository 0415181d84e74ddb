"""cli/option_names.py: arguments in the library's messages become options of the command line."""

import re

# The options whose arguments in the library have another name than theirs, then all others.
OPTIONS: dict[str, str] = {
    "closing_mm": "--closing",
    "clinical": "--table",
    "columns": "--column",
    "every_series": "--all",
    "masks": "--mask",
    "meshes": "--mesh",
    "most_mb": "--max-mb",
    "neighbors": "--neighbors",
    "out": "-o",
    "runs": "--run",
    "settings": "--set",
    "source": "--src",
    "spacing_mm": "--spacing",
    "table": "--format",
    "threshold_hu": "--threshold",
    "windows": "--window",
} | {
    name: f"--{name.replace('_', '-')}"
    for name in (
        *(
            "annotate",
            "as_hu",
            "at",
            "blend",
            "bundle",
            "clear_patients",
            "cluster",
            "count",
            "crop",
            "data",
            "depth",
        ),
        *(
            "epochs",
            "fold",
            "folds",
            "frames",
            "gaps",
            "how",
            "hu",
            "identifiers",
            "labels",
            "layout",
            "mask",
        ),
        *(
            "member",
            "method",
            "mode",
            "page",
            "patients",
            "picture",
            "pictures",
            "pretrained",
            "prevalence",
            "quality",
        ),
        *(
            "readers",
            "recipe",
            "remap",
            "repair",
            "run",
            "sample",
            "scroll",
            "seed",
            "series",
            "size",
        ),
        *("slides", "studies", "against", "key", "csv", "strict", "pixels"),
        *("tensorboard", "mlflow"),
        *("submission", "task", "truth", "unseen", "verify", "weights", "window", "workers"),
    )
}
_ARGUMENT = re.compile(r"`([a-z]\w*)(?:=([^`]*))?`")  # `name` or `name=value`


def name_options(message: str) -> str:
    """Return a message of the library with its arguments as options: `depth=16` to --depth 16."""
    return _ARGUMENT.sub(_option, message)


def _option(found: re.Match[str]) -> str:
    argument, value = found.groups()
    if argument not in OPTIONS:
        return found[0]
    return OPTIONS[argument] if value in (None, "True") else f"{OPTIONS[argument]} {value}"
