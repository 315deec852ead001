"""Model cards: what a world model is, where its weights are, how to run it, and how good it was measured to be."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lingbot_ros.checkpoints.architecture import parse_architecture, parse_dataclass
from lingbot_ros.checkpoints.card_checks import check_card
from lingbot_ros.checkpoints.hub import HubWeights
from lingbot_ros.checkpoints.trust import TrustSpec
from lingbot_ros.errors import ErrorCode, InputError, ModelError
from lingbot_ros.input_files.regular import read_text
from lingbot_ros.input_files.yaml_text import parse_yaml
from lingbot_ros.model.config import StreamConfig, TransformerConfig
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.sampler import SamplerConfig
from lingbot_ros.model.scene.config import SceneConfig
from lingbot_ros.model.unipc import UniPCConfig
from lingbot_ros.shared_files import shared_folders

MODELS_PATH_VARIABLE = "LINGBOT_MODELS"
"""Extra folders of models, separated like PATH; they come before the shipped ones."""


@dataclass(frozen=True)
class ControlSpec:
    """What drives a model: `kind` action or camera; for actions one name, limit and unit per component.

    A camera model that has components takes them beside each pose: the keys w, a, s, d, 1 if pressed, else 0.
    """

    kind: Literal["action", "camera"]
    dim: int
    names: tuple[str, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    unit: str = ""
    description: str = ""

    @property
    def takes_keys(self) -> bool:
        """Whether each camera pose comes with keys."""
        return self.kind == "camera" and bool(self.names)


@dataclass(frozen=True)
class WeightsSpec:
    """The weights file beside the card."""

    file: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class ModelCard:
    """`models/NAME/card.yaml`. Sizes in pixels; `max_horizon` is how many frames the model is to be trusted for.

    area: of a frame in pixels, for frames of the aspect of their first image; None: height x width.

    task: what it is a world of, by the name of `lingbot_ros.tasks`; None: nothing that anybody has described.
    intrinsics: fx, fy, cx, cy of the example image in pixels of the model's frames, and of images whose camera nobody
    gives; None: those of the released demos. demo_poses: a pose file beside the card, for a first drive.
    """

    name: str
    summary: str
    family: str
    licence: str
    height: int
    width: int
    fps: float
    control: ControlSpec
    architecture: TransformerConfig | RigidLayersConfig | SceneConfig
    stream: StreamConfig
    sampler: SamplerConfig | UniPCConfig
    autoencoder: Literal["pixel", "wan"]
    weights: WeightsSpec | HubWeights
    area: int | None = None
    seed_image: str | None = None
    intrinsics: tuple[float, float, float, float] | None = None
    demo_poses: str | None = None
    max_horizon: int | None = None
    trust: TrustSpec | None = None
    task: str | None = None
    training: dict[str, Any] = field(default_factory=dict)
    quality: dict[str, Any] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    folder: Path = Path()

    @classmethod
    def load(cls, path: Path) -> "ModelCard":
        """Read a card; raises ModelError naming the file, the key and what is wrong with it."""
        try:
            card = cls._parse(parse_yaml(read_text(path, "card"), str(path)), path)
            check_card(card, str(path))
        except InputError as error:
            code = ErrorCode.UNKNOWN_MODEL if not path.exists() else ErrorCode.BAD_WEIGHTS
            raise ModelError(f"model card: {error}", code) from error
        return card

    @classmethod
    def _parse(cls, data: Any, path: Path) -> "ModelCard":
        if not isinstance(data, dict):
            raise InputError(str(path), "an empty file" if data is None else type(data).__name__, "write a model card")
        parts: dict[str, Any] = {"folder": path.parent}
        for key, kind in (
            ("control", ControlSpec),
            ("stream", StreamConfig),
            ("sampler", UniPCConfig if _has(data, "sampler", "kind") else SamplerConfig),
            ("weights", HubWeights if _has(data, "weights", "repository") else WeightsSpec),
        ):
            parts[key] = parse_dataclass(kind, data.get(key, {}), f"{path}: {key}")
        if data.get("trust") is not None:
            parts["trust"] = parse_dataclass(TrustSpec, data["trust"], f"{path}: trust")
        parts["architecture"] = parse_architecture(data.get("architecture", {}), f"{path}: architecture")
        return parse_dataclass(cls, {**data, **parts}, str(path))

    @property
    def transformer(self) -> TransformerConfig:
        """The architecture of a model that has a transformer. Raises ModelError for one that has none."""
        if isinstance(self.architecture, RigidLayersConfig):
            raise ModelError(f"{self.name}: it is made of rigid layers and has no network; use another model for this")
        if isinstance(self.architecture, SceneConfig):
            raise ModelError(f"{self.name}: it remembers a scene and has no transformer; use another model for this")
        return self.architecture

    @property
    def takes_text(self) -> bool:
        """Whether a prompt changes what the model shows."""
        scene = isinstance(self.architecture, SceneConfig) and self.architecture.events
        return scene or self.architecture.text is not None

    @property
    def non_commercial(self) -> bool:
        """Whether the licence forbids commercial use."""
        return "-NC" in self.licence

    @property
    def licence_note(self) -> str:
        """The licence, and what must be known of it before the model is used."""
        return f"{self.licence} (non-commercial use only)" if self.non_commercial else self.licence


def model_folders() -> Iterator[Path]:
    """Where models are looked for: $LINGBOT_MODELS, the source tree, the installed package's share folder."""
    yield from (Path(part) for part in os.environ.get(MODELS_PATH_VARIABLE, "").split(os.pathsep) if part)
    yield from shared_folders("models")


def read_cards() -> tuple[list[ModelCard], list[ModelError]]:
    """Every card found, by name, and why others cannot be read; the first folder that has a name wins."""
    cards: dict[str, ModelCard] = {}
    faults = []
    for folder in model_folders():
        for path in sorted(folder.glob("*/card.yaml")):
            try:
                card = ModelCard.load(path)
            except ModelError as error:
                faults.append(error)
            else:
                cards.setdefault(card.name, card)
    return sorted(cards.values(), key=lambda card: card.name), faults


def list_cards() -> list[ModelCard]:
    """Every card that can be read, by name."""
    return read_cards()[0]


def _has(data: dict[str, Any], part: str, key: str) -> bool:
    return isinstance(data.get(part), dict) and key in data[part]


def find_card(name: str | Path) -> ModelCard:
    """The card of a name, a hub repository or a folder with a card.yaml. Raises ModelError that lists what exists."""
    for folder in (Path(name), *(folder / name for folder in model_folders())):
        # A name that is too long for a file system raises, where it only cannot be there.
        with suppress(OSError):
            if (folder / "card.yaml").is_file():
                return ModelCard.load(folder / "card.yaml")
    for card in list_cards():
        if isinstance(card.weights, HubWeights) and str(name) in (card.weights.repository, card.weights.name):
            return card
    # By folder, unread: one damaged card must not hide the names of the others.
    known = ", ".join(sorted({path.parent.name for root in model_folders() for path in root.glob("*/card.yaml")}))
    raise ModelError(
        f"model: got {str(name)!r}; known models: {known or 'none'}. Give one of these, or a folder with a card.yaml",
        ErrorCode.UNKNOWN_MODEL,
    )
