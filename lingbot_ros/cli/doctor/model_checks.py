"""Models: every card that is found, and whether its weights are present and match the card."""

from collections.abc import Iterator

from lingbot_ros.checkpoints.cards import ModelCard, model_folders
from lingbot_ros.checkpoints.files import locate
from lingbot_ros.cli.doctor.finding import Finding, note, ok, problem
from lingbot_ros.errors import LingbotError
from lingbot_ros.tasks.registry import DEFAULT_MODEL

_ADVICE = "restore the folder models/, e.g. git checkout -- models"


def check_models() -> Iterator[Finding]:
    """A defect of the default model is a problem; other models that are damaged or not downloaded are notes."""
    # By folder and not by `list_cards`: one damaged card must not hide the others.
    cards = [path for folder in model_folders() for path in sorted(folder.glob("*/card.yaml"))]
    first_of_name = {path.parent.name: path for path in reversed(cards)}
    for name, path in sorted(first_of_name.items()):
        subject = f"model {name}"
        try:
            files = locate(ModelCard.load(path))
        except LingbotError as error:
            yield problem(subject, str(error), _ADVICE) if name == DEFAULT_MODEL else note(subject, str(error))
        else:
            size = sum(file.stat().st_size for file in files.transformer + files.low_noise)
            yield ok(subject, f"{size / 1e6:.1f} MB of weights match the card ({path.parent})")
    if DEFAULT_MODEL not in first_of_name:
        yield problem(f"model {DEFAULT_MODEL}", "not found", _ADVICE)
