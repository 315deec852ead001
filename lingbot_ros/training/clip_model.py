"""The folder of a model trained on own clips: its card, and the image that it starts from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lingbot_ros.checkpoints.architecture import to_plain
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.model.config import StreamConfig, TransformerConfig
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.training.model_folder import (
    CARD_FILE,
    NOT_LOOKED_AT,
    ONE_STEP,
    SEED_FILE,
    begin_model_folder,
    check_model_folder,
)


def check_folder(folder: Path, clips: ClipSet) -> None:
    """Raise InputError when `folder` holds the card of a model with other frames, rate or actions than the clips."""
    plan = clips.plan
    wanted = {
        "height": plan.height,
        "width": plan.width,
        "fps": plan.fps,
        "names": list(plan.action_names),
        "low": list(clips.low),
        "high": list(clips.high),
    }
    check_model_folder(folder, wanted, clips.root)


def begin_folder(
    folder: Path,
    clips: ClipSet,
    architecture: TransformerConfig | RigidLayersConfig,
    stream: StreamConfig,
    task: str | None = None,
    limits: Sequence[str] = (),
) -> None:
    """Write the card, all but the weights, and the seed image into `folder`, unless a card is there already.

    `task` names what the model is a world of, where somebody knows; `limits` are known before anybody has looked at it.
    The image is the first one of the first validation episode. Raises ResourceError when they cannot be written.
    """
    if (folder / CARD_FILE).is_file():
        return
    first = clips.frames(clips.plan.validation[0])[0]
    built = {"architecture": to_plain(architecture), "stream": to_plain(stream)}
    begin_model_folder(folder, _card(folder, clips, task, limits) | built, first)


def _card(folder: Path, clips: ClipSet, task: str | None, limits: Sequence[str]) -> dict[str, Any]:
    """Everything but the weights, which the export adds. Unknown values are marked as unknown."""
    plan, name = clips.plan, folder.resolve().name
    origin = plan.source.get("bag") or plan.source.get("name") or plan.source.get("type") or "own clips"
    return {
        "name": name,
        "summary": f"Imagines what a robot's camera sees next, given {', '.join(plan.action_names)}; from {origin}.",
        "family": "lingbot-small",
        "licence": "unknown",
        **({} if task is None else {"task": task}),
        "height": plan.height,
        "width": plan.width,
        "fps": plan.fps,
        "control": {
            "kind": "action",
            "dim": plan.dim,
            "names": list(plan.action_names),
            "low": list(clips.low),
            "high": list(clips.high),
            "unit": plan.action_unit,
            "description": "The action in force while one frame leads to the next, as it was recorded.",
        },
        "autoencoder": "pixel",
        "sampler": to_plain(ONE_STEP),
        "architecture": {},
        "stream": {},
        "seed_image": SEED_FILE,
        "training": {
            "data": f"{len(plan.training)} episodes, {sum(plan.steps[e] for e in plan.training)} steps at {plan.fps:g} "
            f"frames per second from {origin}; {len(plan.validation)} episodes held back",
            "source": plan.source,
        },
        "limits": [*limits, NOT_LOOKED_AT.format(how="`lingbot eval-model` says")],
    }
