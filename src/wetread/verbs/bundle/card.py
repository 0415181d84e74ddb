"""verbs/bundle/card.py: the model card: items of CLAIM and TRIPOD+AI that a run knows, and names of
those that it does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wetread.archive.plural import plural
from wetread.archive.types import JsonObject
from wetread.prediction.cautions import CAUTIONS

FILE = "card.md"
Fact = Callable[[JsonObject], str]  # bundle.json -> a sentence; "" where the run does not know
SHOWN = ("weighted_log_loss", "log_loss", "roc_auc", "average_precision", "dice")
UNSEEN = ("held_out", "out_of_fold", "external")  # splits of patients that no network learned


def _purpose(about: JsonObject) -> str:
    task = about["task"]
    names = ", ".join(one["name"] for one in task["findings"])
    return (
        f"{task['title']} ({', '.join(task['modalities'])}): probabilities of {names}. "
        "Research use only, not for diagnosis."
    )


def _sources(about: JsonObject) -> str:
    return "; ".join(about["origins"])


def _preprocessing(about: JsonObject) -> str:
    view = about["view"]
    windows = ", ".join(
        f"{one['center_hu']:g}/{one['width_hu']:g} {one['curve']}" for one in view["windows"]
    )
    neighbors = f"; {plural(view['neighbours'], 'slice')} on either side" * bool(view["neighbours"])
    return (
        f"The task's crop at {view['size']} x {view['size']} pixels through windows (center/width) "
        f"{windows}{neighbors}."
    )


def _numbers(about: JsonObject) -> str:
    words = {"learned_from": "learned", "chosen_on": "choosing the epoch", "scored_on": "scored"}
    runs = []
    for run in about["provenance"]["runs"]:
        parts = [
            f"{words[part]}: {plural(run[part]['images'], 'image')} of "
            f"{plural(run[part]['studies'], 'study')} of {plural(run[part]['patients'], 'patient')}"
            for part in words
            if part in run
        ]
        runs.append("; ".join(parts))
    return " | ".join(dict.fromkeys(filter(None, runs)))


def _excluded(about: JsonObject) -> str:
    names = {
        "rejects": "files that are no image of DICOM or could not be read",
        "undecodable_images": "images that could not be decoded",
        "images_without_label": "images without a label",
        "labels_without_image": "labels without an image",
    }
    runs = [run.get("counts", {}) for run in about["provenance"]["runs"]]
    parts = [
        f"{words} {counts[name]}"
        for counts in runs
        for name, words in names.items()
        if counts.get(name)
    ]
    return ", ".join(parts)


def _missing(about: JsonObject) -> str:
    return "A label that is not known is left out of the loss and of scores; none is filled in."


def _partitions(about: JsonObject) -> str:
    folds = {run.get("folds", 0) for run in about["provenance"]["runs"]}
    return ", ".join(
        "one split into training, validation and held-out patients"
        if count == 0
        else f"{count} folds, each patient scored by networks that learned from the others"
        for count in sorted(folds)
    )


def _disjoint(about: JsonObject) -> str:
    known = [run["patients_from"] for run in about["provenance"]["runs"] if "patients_from" in run]
    return f"Patients, known from {', '.join(dict.fromkeys(known))}." if known else ""


def _model(about: JsonObject) -> str:
    networks = about["networks"] or [one for each in about["series"] for one in each["encoders"]]
    encoders = dict.fromkeys(one["recipe"]["encoder"] for one in networks)
    drawn = {one["recipe"]["decoder"] for one in networks} - {"none"}
    over = dict.fromkeys(one["recipe"]["series"]["network"] for one in about["series"])
    text = f"{plural(len(networks), 'network')} of slices ({', '.join(encoders)})"
    text += f" with a decoder ({', '.join(sorted(drawn))})" if drawn else ""
    text += f"; over whole series {', '.join(over)}" if over else ""
    return f"{text}; graphs in the ONNX files, weights in weights.safetensors."


def _ensembling(about: JsonObject) -> str:
    count = len(about["series"] or about["networks"])
    mean = f"the mean of {count} networks" if count > 1 else "one network"
    sides = [one["recipe"]["series"]["mirror"] for one in about["series"]]
    both = "image and mirror image" if all(sides) else "the image alone"
    return f"{mean[0].upper()}{mean[1:]}, each reading {both}."


def _initialization(about: JsonObject) -> str:
    recipes = [run["recipe"] for run in about["provenance"]["runs"]]
    words = ["from ImageNet weights"] if any(one["pretrained"] for one in recipes) else []
    studies = max(one["phantoms"]["studies"] for one in recipes)
    words += [f"{plural(studies, 'phantom')} learned first"] if studies else []
    return "; ".join(words)


def _training(about: JsonObject) -> str:
    texts = []
    for run in about["provenance"]["runs"]:
        recipe = run["recipe"]
        texts.append(
            f"AdamW, learning rate {recipe['optimizer']['learning_rate']:g}, "
            f"{plural(recipe['epochs'], 'epoch')}, batches of {recipe['batch_size']}, seed "
            f"{recipe['seed']}"
        )
    return "; ".join(dict.fromkeys(texts)) + ". All settings: bundle.json, provenance."


def _selection(about: JsonObject) -> str:
    chosen = [run["chosen_on"]["patients"] for run in about["provenance"]["runs"]
              if run.get("chosen_on", {}).get("patients")]  # fmt: skip
    if not chosen:
        return ""
    counts = ", ".join(plural(count, "patient") for count in chosen)
    return f"By the score of each epoch on {counts} whose images were not learned."


def _imbalance(about: JsonObject) -> str:
    ratios = {run["recipe"]["negatives_per_positive"] for run in about["provenance"]["runs"]}
    if ratios == {0}:
        return "All negatives are learned in every epoch."
    words = ", ".join(f"{ratio:g}" for ratio in sorted(ratios))
    return f"Negatives per positive in an epoch: {words} (0: all); probabilities are corrected."


def _metrics(about: JsonObject) -> str:
    names = dict.fromkeys(one["metric"] for scores in about["scores"] for one in scores)
    return ", ".join(name for name in names if name in SHOWN)


def _uncertainty(about: JsonObject) -> str:
    known = any(one["low"] is not None for scores in about["scores"] for one in scores)
    return "Intervals of 95 % by bootstrap over patients." if known else ""


def _performance(about: JsonObject) -> str:
    return "See Scores below." if _shown(about) else ""


def _output(about: JsonObject) -> str:
    point = about["operating_point"]
    text = "Probabilities of each finding, by slice and by study"
    if about["drawn"]:
        text += f"; masks of {', '.join(about['drawn'])}"
    if point is not None:
        text += (
            f"; studies are flagged from {point['threshold']:.3f} on, chosen for a {point['aim']} "
            f"of {point['stated']:g}"
        )
    return f"{text}."


def _internal(about: JsonObject) -> str:
    splits = {one["split"] for scores in about["scores"] for one in scores}
    return ", ".join(split for split in UNSEEN[:2] if split in splits).replace("_", " ")


def _external(about: JsonObject) -> str:
    splits = {one["split"] for scores in about["scores"] for one in scores}
    return "See Scores below." if "external" in splits else ""


def _limitations(about: JsonObject) -> str:
    sentences = [CAUTIONS.get(name, name.replace("_", " ")) for name in about["cautions"]]
    if any(one is not None for one in about["bounds"]):
        sentences.append("studies outside of what was learned are marked")
    else:
        sentences.append("studies unlike what was learned are not marked: no bounds are known")
    return "; ".join(sentences) + "."


def _updating(about: JsonObject) -> str:
    sources = dict.fromkeys(
        one["source"] for run in about["scalings"]["runs"] for one in run["fitted_on"]
    )
    return f"Probabilities are scaled as fitted on {'; '.join(sources)}." if sources else ""


def _availability(about: JsonObject) -> str:
    terms = about["license"]
    return f"Code: {terms['code']}. Weights: {terms['weights']}. The data are not in the bundle."


def _software(about: JsonObject) -> str:
    return f"wetread {about['wetread']}; trained with torch and MONAI, read by onnxruntime."


# Number and name of an item, and what a run knows of it; None: never anything.
CLAIM: tuple[tuple[str, str, Fact | None], ...] = (
    ("1", "Identification as a study of AI", None),
    ("2", "Structured summary", None),
    ("3", "Background, intended use and role", _purpose),
    ("4", "Aims and hypotheses", None),
    ("5", "Prospective or retrospective", None),
    ("6", "Study goal", None),
    ("7", "Data sources", _sources),
    ("8", "Inclusion and exclusion criteria", None),
    ("9", "Preprocessing", _preprocessing),
    ("10", "Selection of data subsets", _excluded),
    ("11", "De-identification", None),
    ("12", "Missing data", _missing),
    ("13", "Image acquisition protocol", None),
    ("14", "Definition of the reference standard", None),
    ("15", "Rationale of the reference standard", None),
    ("16", "Source of annotations", None),
    ("17", "Annotation of the test set", None),
    ("18", "Variability between and within raters", None),
    ("19", "Assignment to partitions", _partitions),
    ("20", "Level at which partitions are disjoint", _disjoint),
    ("21", "Intended sample size", None),
    ("22", "Model", _model),
    ("23", "Software", _software),
    ("24", "Initialization of parameters", _initialization),
    ("25", "Training", _training),
    ("26", "Selection of the final model", _selection),
    ("27", "Ensembling", _ensembling),
    ("28", "Metrics", _metrics),
    ("29", "Statistical uncertainty", _uncertainty),
    ("30", "Robustness or sensitivity analysis", None),
    ("31", "Explainability", None),
    ("32", "Evaluation on internal data", _internal),
    ("33", "Testing on external data", _external),
    ("34", "Trial registration", None),
    ("35", "Patients included and excluded", _numbers),
    ("36", "Demographic and clinical characteristics", None),
    ("37", "Performance and its uncertainty", _performance),
    ("38", "Estimates of diagnostic accuracy", None),
    ("39", "Failure analysis", None),
    ("40", "Limitations", _limitations),
    ("41", "Implications for practice", None),
    ("42", "Study protocol", None),
    ("43", "Availability of software, model and data", _availability),
    ("44", "Funding", None),
)
TRIPOD_AI: tuple[tuple[str, str, Fact | None], ...] = (
    ("1", "Title", None),
    ("2", "Abstract", None),
    ("3", "Background", _purpose),
    ("4", "Objectives", None),
    ("5", "Data", _sources),
    ("6", "Participants", None),
    ("7", "Data preparation", _preprocessing),
    ("8", "Outcome", None),
    ("9", "Predictors", _preprocessing),
    ("10", "Sample size", _numbers),
    ("11", "Missing data", _missing),
    ("12", "Analytical methods", _training),
    ("13", "Class imbalance", _imbalance),
    ("14", "Fairness", None),
    ("15", "Model output", _output),
    ("16", "Training versus evaluation", _partitions),
    ("17", "Ethical approval", None),
    ("18", "Open science", _availability),
    ("19", "Patient and public involvement", None),
    ("20", "Participants in the results", _numbers),
    ("21", "Model development", _selection),
    ("22", "Model specification", _model),
    ("23", "Model performance", _performance),
    ("24", "Model updating", _updating),
    ("25", "Interpretation", None),
    ("26", "Limitations", _limitations),
    ("27", "Usability", None),
)


def card(about: JsonObject) -> str:
    """Write the model card of a bundle, Markdown, by its bundle.json."""
    sections = [
        f"# {about['task']['title']}: model card",
        "Research use only, not for diagnosis. Made by `wetread bundle` from what the runs keep; "
        "what no run can know is named at the end of each list and is for its makers to write.",
        *_checklist("CLAIM (2024)", CLAIM, about),
        *_checklist("TRIPOD+AI", TRIPOD_AI, about),
        *_score_section(about),
    ]
    return "\n\n".join(sections) + "\n"


def _checklist(
    name: str, items: Sequence[tuple[str, str, Fact | None]], about: JsonObject
) -> list[str]:
    """Write the items that are known as a table, and the names of the others."""
    known, empty = [], []
    for number, title, fact in items:
        text = "" if fact is None else fact(about)
        if text:
            known.append(f"| {number} | {title} | {text.replace('|', '/')} |")
        else:
            empty.append(f"{number} {title}")
    table = "\n".join(["| item | name | |", "|---|---|---|", *known])
    return [f"## {name}", table, f"Empty: {'; '.join(empty)}."]


def _shown(about: JsonObject) -> list[tuple[int, JsonObject]]:
    """Choose the scores of patients that were not learned, with the number of their run."""
    return [
        (number, one)
        for number, scores in enumerate(about["scores"])
        for one in scores
        if one["split"] in UNSEEN and one["metric"] in SHOWN and one["value"] is not None
    ]


def _score_section(about: JsonObject) -> list[str]:
    rows = [
        f"| {number} | {one['metric']} | {one['finding']} | {one['level']} | {one['split']} | "
        f"{one['value']:.4f} | {_interval(one)} | {one['patients']} | {one['positives']} |"
        for number, one in _shown(about)
    ]
    if not rows:
        return []
    head = "| run | metric | finding | level | split | value | 95 % | patients | positives |"
    return ["## Scores", "\n".join([head, "|---" * 9 + "|", *rows])]


def _interval(score: JsonObject) -> str:
    if score["low"] is None or score["high"] is None:
        return ""
    return f"{score['low']:.4f} to {score['high']:.4f}"
