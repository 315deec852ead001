"""Architecture dataclasses from and to the plain dictionaries of cards and YAML files."""

import dataclasses
from typing import Any, TypeVar

from lingbot_ros.checkpoints.typed_fields import typed_fields
from lingbot_ros.errors import InputError
from lingbot_ros.model.config import (
    ActionControlConfig,
    PixelConfig,
    RayControlConfig,
    TextConfig,
    TransformerConfig,
)
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.scene.config import SceneConfig

T = TypeVar("T")


def parse_dataclass(kind: type[T], data: dict[str, Any], where: str) -> T:
    """Build a dataclass from a dictionary; unknown or missing keys raise InputError naming `where` and the key."""
    data = require_mapping(data, where)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key, value in data.items():
        if key not in fields:
            raise InputError(f"{where}.{key}", value, f"unknown key; known are {', '.join(fields)}")
    missing = [
        name
        for name, field in fields.items()
        if name not in data and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise InputError(where, "no value", f"add {', '.join(missing)}")
    values = typed_fields(kind, data, where)
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise InputError(where, data, str(error)) from error


def require_mapping(data: Any, where: str) -> dict[str, Any]:
    """A copy of what YAML made of keys and values. Raises InputError for a list, a text or an empty file."""
    if not isinstance(data, dict):
        got = "nothing" if data is None else f"a {type(data).__name__}"
        raise InputError(where, got, "give keys and values, one a line, such as `name: value`")
    return dict(data)


def parse_architecture(data: dict[str, Any], where: str) -> TransformerConfig | RigidLayersConfig | SceneConfig:
    """What a card's `architecture` dictionary describes.

    With `prediction: canonical` rigid layers, with `prediction: scene` a scene, else a transformer.
    """
    if data.get("prediction") == "canonical":
        return parse_dataclass(RigidLayersConfig, data, where)
    if data.get("prediction") == "scene":
        return parse_dataclass(SceneConfig, data, where)
    return parse_transformer(data, where)


def parse_transformer(data: dict[str, Any], where: str) -> TransformerConfig:
    """A TransformerConfig from a card's `architecture` dictionary."""
    data = require_mapping(data, where)
    if data.get("text") is not None:
        data["text"] = parse_dataclass(TextConfig, data["text"], f"{where}.text")
    if data.get("pixel") is not None:
        data["pixel"] = parse_dataclass(PixelConfig, data["pixel"], f"{where}.pixel")
    if data.get("control") is not None:
        kinds = {"rays": RayControlConfig, "action": ActionControlConfig}
        kind = require_mapping(data["control"], f"{where}.control").get("kind")
        if kind not in kinds:
            raise InputError(f"{where}.control.kind", kind, f"use one of {', '.join(kinds)}")
        data["control"] = parse_dataclass(kinds[kind], data["control"], f"{where}.control")
    return parse_dataclass(TransformerConfig, data, where)


def to_plain(config: Any) -> dict[str, Any]:
    """The dictionary that `parse_*` reads back: tuples as lists, parts that are absent left out."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items() if item is not None}
        return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value

    result: dict[str, Any] = plain(dataclasses.asdict(config))
    return result
