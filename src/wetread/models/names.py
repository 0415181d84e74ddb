"""models/names.py: the names of networks, known where torch is not installed; the tables that build
them (encoders.py, sequence.py) have exactly these, as their tests say."""

ENCODER_NAMES = [
    "compact",
    "slim",
    "efficientnet_b0",
    "efficientnet_lite0",
    "densenet121",
    "resnet18",
    "three_convolutions",
    "seven_convolutions",
]
SEQUENCE_NAMES = ("gru", "transformer", "convolutions", "plain_gru", "attention")


def check_encoder(name: str) -> None:
    """Raise ValueError, which lists the known ones, where there is no encoder of that name."""
    if name not in ENCODER_NAMES:
        raise ValueError(f"no encoder {name!r}; known: {', '.join(ENCODER_NAMES)}")
