"""Architecture dataclasses from and to the plain dictionaries of cards and YAML files."""

import dataclasses
import functools
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from lingbot_ros.checkpoints.card_checks import check_range
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
_STRICT = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)
_SHOWN = 120
_WANTED = {
    "bool_type": "give true or false",
    "dict_type": "give keys and values",
    "finite_number": "give a finite number",
    "float_type": "give a number",
    "int_type": "give a whole number",
    "literal_error": "use one of {expected}",
    "string_type": "give a text",
    "tuple_type": "give a list, such as [a, b]",
}
"""What to do about pydantic's errors, by their type."""


def parse_dataclass(kind: type[T], data: Any, where: str) -> T:
    """Build a dataclass from a dictionary, each value of exactly the type that its field has, finite and in range.

    Raises InputError naming `where`, the key, its value and what is wanted, also for unknown or missing keys.
    """
    data = require_mapping(data, where)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key, value in data.items():
        if key not in fields:
            raise InputError(f"{where}.{key}", _short(value), f"unknown key; known are {', '.join(fields)}")
    missing = [
        name
        for name, field in fields.items()
        if name not in data and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise InputError(where, "no value", f"add {', '.join(missing)}")
    values = {key: _typed(kind, key, value, f"{where}.{key}") for key, value in data.items()}
    try:
        return kind(**values)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise InputError(where, _short(data), str(error)) from error


def _typed(kind: type, key: str, value: Any, where: str) -> Any:
    try:
        typed = _schema(kind, key).validate_python(_tuples(value))
        check_range(kind, key, typed, where)
        return typed
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] in ("missing", "too_long"):  # of a tuple
            raise InputError(where, _short(value), f"give {_length(_hint(kind, key))} values") from error
        place = "".join(f"[{part}]" for part in first["loc"] if isinstance(part, int))
        wanted = _WANTED.get(first["type"], first["msg"]).format(**first.get("ctx", {}))
        raise InputError(f"{where}{place}", _short(first["input"]), wanted) from error
    except OverflowError as error:
        raise InputError(where, _short(value), "give a number of ordinary size") from error


def _length(hint: Any) -> int:
    """Of a tuple, also of one that may be None."""
    optional = next((part for part in get_args(hint) if get_origin(part) is tuple), hint)
    return len(get_args(optional))


def _tuples(value: Any) -> Any:
    """YAML has lists where the dataclasses have tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


@functools.cache
def _schema(kind: type, key: str) -> TypeAdapter[Any]:
    """Of a field, from its annotation. Parts of a card are made before the card, and are taken as they are."""
    hint = _hint(kind, key)
    return TypeAdapter(hint, config=None if dataclasses.is_dataclass(hint) else _STRICT)


def _hint(kind: type, key: str) -> Any:
    return get_type_hints(kind)[key]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."


def require_mapping(data: Any, where: str) -> dict[str, Any]:
    """A copy of what YAML made of keys and values. Raises InputError for a list, a text or an empty file."""
    if not isinstance(data, dict):
        got = "nothing" if data is None else f"a {type(data).__name__}"
        raise InputError(where, got, "give keys and values, one a line, such as `name: value`")
    return dict(data)


def parse_architecture(data: Any, where: str) -> TransformerConfig | RigidLayersConfig | SceneConfig:
    """What a card's `architecture` dictionary describes.

    With `prediction: canonical` rigid layers, with `prediction: scene` a scene, else a transformer.
    """
    kind = data.get("prediction") if isinstance(data, dict) else None
    if kind == "canonical":
        return parse_dataclass(RigidLayersConfig, data, where)
    if kind == "scene":
        return parse_dataclass(SceneConfig, data, where)
    return parse_transformer(data, where)


def parse_transformer(data: Any, where: str) -> TransformerConfig:
    """A TransformerConfig from a card's `architecture` dictionary."""
    data = require_mapping(data, where)
    if data.get("text") is not None:
        data["text"] = parse_dataclass(TextConfig, data["text"], f"{where}.text")
    if data.get("pixel") is not None:
        data["pixel"] = parse_dataclass(PixelConfig, data["pixel"], f"{where}.pixel")
    if data.get("control") is not None:
        kinds = {"rays": RayControlConfig, "action": ActionControlConfig}
        kind = require_mapping(data["control"], f"{where}.control").get("kind")
        if not isinstance(kind, str) or kind not in kinds:
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
