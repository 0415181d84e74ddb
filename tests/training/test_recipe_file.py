"""tests/training/test_recipe_file.py: recipes by name, by file, and one setting over them."""

from pathlib import Path

import pytest

from wetread.models.encoders import ENCODERS
from wetread.training.recipe import Recipe, flat_settings
from wetread.training.recipe_file import (
    OLD_NAMES,
    OldSettingWarning,
    check_recipe,
    read_recipe,
    recipe_names,
)
from wetread.view.view import View
from wetread.view.window import BONE, BRAIN, LUNG, PULMONARY, SUBDURAL, Window, with_curve


def test_every_recipe_of_the_package_names_an_encoder_that_there_is() -> None:
    assert {read_recipe(name).encoder for name in recipe_names()} == set(ENCODERS)


def test_the_compact_recipe_is_what_a_recipe_is_by_default_but_for_averaged_checkpoints() -> None:
    assert read_recipe("compact", ["top_checkpoints=1"]) == Recipe()


def test_a_short_training_averages_no_more_than_half_of_its_epochs() -> None:
    averaged = [
        read_recipe("compact", [f"epochs={epochs}", "top_checkpoints=8"]).averaged_epochs
        for epochs in (1, 3, 6, 24, 40)
    ]
    assert averaged == [1, 1, 3, 8, 8]


def test_a_recipe_survives_being_stored_resolved() -> None:
    recipe = read_recipe("densenet121", ["seed=4", "windows=brain,35/90"])
    assert check_recipe(recipe.model_dump(mode="json"), "stored") == recipe


def test_settings_go_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('epochs = 3\nencoder = "resnet18"\n')
    recipe = read_recipe(tmp_path / "mine.toml", ["epochs=5", "learning_rate = 1e-4"])
    assert (recipe.epochs, recipe.encoder, recipe.optimizer.learning_rate) == (5, "resnet18", 1e-4)


def test_windows_are_names_or_center_and_width() -> None:
    recipe = read_recipe("compact", ["windows=brain,600/2000", "neighbors=1", "size=64"])
    assert recipe.view == View((BRAIN, BONE), 1, 64)
    assert read_recipe("compact", ['windows=["35/90"]']).view.windows == (Window(35, 90),)


def test_a_mode_stands_alone_for_windows_and_their_mix() -> None:
    recipe = read_recipe("compact", ["windows=gradient-bsb", "neighbors=1", "size=64"])
    assert recipe.view == View((BRAIN, SUBDURAL, BONE), 1, 64, "gradient-bsb")
    own = read_recipe("compact", ["windows=sigmoid-bsb:lung,pulmonary,40/400", "size=64"])
    expected = with_curve((LUNG, PULMONARY, Window(40, 400)), "sigmoid_eps")
    assert own.view == View(expected, 0, 64)
    assert check_recipe(own.model_dump(mode="json"), "stored").view == own.view


@pytest.mark.parametrize(
    ("windows", "reason"),
    [
        ("pe-3slice", "pe-3slice sees other slices; name its window, and neighbors = 1"),
        ("bsb_slicewise", "bsb_slicewise stretches every slice by itself"),
        ("metadata", "metadata shows each slice in its own header's window"),
        ("adjacent", "adjacent shows each slice in its own header's window"),
        ("lung,bsb", "bsb is a mode, and stands alone"),
    ],
)
def test_a_mode_that_no_network_can_be_shown_is_refused_with_the_reason(
    windows: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        read_recipe("compact", [f"windows={windows}"])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epoch=3", r"compact: no setting 'epoch'; known: encoder, decoder"),
        ("epochs", r"'epochs': a setting is given as key=value"),
        ("epochs=0", r"compact: epochs = 0: Input should be greater than or equal to 1"),
        ("epochs=many", r"compact: epochs = 'many': Input should be a valid integer"),
        ("windows=brian", r"no window 'brian'; known: brain, subdural"),
        ("windows=[]", r"at least one window"),
        ("precision=float16", r"precision = 'float16'"),
        (
            "sequence=lstm",
            r"series.network = 'lstm': no sequence network 'lstm'; known: none, gru",
        ),
        (
            "encoder=resnet19",
            r"encoder = 'resnet19': .*no encoder 'resnet19'; known: compact, ",
        ),
        ("device=gpu", r"runtime.device = 'gpu': .*no device of that name"),
        ("series.decoder=unet", r"compact: no setting 'series.decoder'; known: .*series.network"),
        ("series=gru", r"compact: no setting 'series'"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_and_named(setting: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_recipe("compact", [setting])


def test_a_decoder_takes_sizes_of_its_own() -> None:
    with pytest.raises(ValueError, match=r"sizes \(64, 100\): a decoder takes multiples of 32"):
        read_recipe("compact", ["decoder=unet", "size=100", "smaller_first=[64]"])


def test_an_unknown_recipe_is_refused_and_the_known_are_named() -> None:
    with pytest.raises(ValueError, match="no recipe 'compakt'; known: compact, densenet121"):
        read_recipe("compakt")


def test_a_missing_or_broken_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone\.toml: no such recipe file"):
        read_recipe(tmp_path / "gone.toml")
    (tmp_path / "broken.toml").write_text("epochs = = 3")
    with pytest.raises(ValueError, match=r"broken\.toml: not TOML"):
        read_recipe(tmp_path / "broken.toml")


OLD = """
encoder = "slim"
neighbours = 1
phantoms = 12
phantom_epochs = 3
sequence = "gru"
sequence_rate = 1e-3
together_epochs = 2
shares = 1
hold_mb = 0
learning_rate = 5e-4
"""
NEW = """
encoder = "slim"
neighbors = 1
[phantoms]
studies = 12
epochs = 3
[series]
network = "gru"
learning_rate = 1e-3
[joint]
epochs = 2
[runtime]
batch_parts = 1
cache_mb = 0
[optimizer]
learning_rate = 5e-4
"""


def test_a_file_with_the_old_names_is_read_and_its_new_names_are_told(tmp_path: Path) -> None:
    (tmp_path / "old.toml").write_text(OLD)
    (tmp_path / "new.toml").write_text(NEW)
    with pytest.warns(
        OldSettingWarning, match=r"old\.toml: .*sequence_rate is now series\.learning_"
    ):
        old = read_recipe(tmp_path / "old.toml")
    assert old == read_recipe(tmp_path / "new.toml")  # without a warning


def test_every_old_name_stands_for_one_setting_that_there_is() -> None:
    assert len(set(OLD_NAMES.values())) == len(OLD_NAMES)
    assert set(OLD_NAMES.values()) <= set(flat_settings(Recipe()))


def test_old_and_dotted_names_go_over_a_recipe_without_a_warning() -> None:
    old = ["sequence=gru", "sequence_features=logits", "phantoms=3", "threads=4", "neighbours=2"]
    new = ["series.network=gru", "series.features=logits", "phantoms.studies=3"]
    new += ["runtime.threads=4", "neighbors=2"]
    assert read_recipe("compact", old) == read_recipe("compact", new)


def test_the_flat_settings_of_an_earlier_run_are_read() -> None:
    flat = {"encoder": "slim", "sequence": "gru", "shares": 3, "neighbours": 1, "mask_bce": 2.0}
    recipe = check_recipe(flat, "recipe.json")
    assert (recipe.series.network, recipe.runtime.batch_parts) == ("gru", 3)
    assert (recipe.neighbors, recipe.masks.bce) == (1, 2.0)
