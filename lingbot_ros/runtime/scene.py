"""A world to load: one small YAML file, or the same as text.

name: table                      # required
model: arm-small                 # required; a node loads worlds of the model that it runs
description: a T on a table
tags: [manipulation]
image: first.png                 # beside the file; left out: the model's own example image
prompt: ""
seed: 0
control: [256.0, 300.0]          # action models: what drives the world until somebody else does
intrinsics: [fx, fy, cx, cy]     # of the image, pixels
start_pose: {position: [0, 0, 0], orientation: [0, 0, 0, 1]}   # camera_link in map, metres, quaternion x y z w
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.input_files.encoded_image import read_image
from lingbot_ros.input_files.regular import read_text
from lingbot_ros.input_files.yaml_text import parse_yaml
from lingbot_ros.sendable import MAX_SEED, NAME_BYTES, PATH_BYTES, PROMPT_BYTES, require_text, require_whole

FORMAT = "lingbot world YAML"
_TEXT_BYTES = 2**20
_LIMITS = {"name": NAME_BYTES, "model": PATH_BYTES, "image": PATH_BYTES}
_KEYS = {
    *("name", "model", "description", "tags", "image", "prompt", "seed", "control", "intrinsics", "start_pose"),
}


class WorldParseError(InputError):
    """The text is no world."""


class WorldAssetError(InputError):
    """A file that the world names is missing or unreadable."""


class WorldElementError(InputError):
    """The world has a key that is not known here."""


@dataclass(frozen=True)
class Scene:
    """What a world is made of. source: path or empty; text: the YAML itself.

    image: uint8 [H, W, 3] RGB or None; control: float64 [dim] or None; intrinsics: fx, fy, cx, cy in pixels of the
    image (centre of the upper left pixel at (0, 0), as in camera_info) or None; position [3] m and orientation
    x, y, z, w of camera_link in the map.
    """

    name: str
    model: str
    source: str
    text: str
    description: str = ""
    tags: tuple[str, ...] = ()
    image: NDArray[np.uint8] | None = None
    prompt: str = ""
    seed: int = 0
    control: NDArray[np.float64] | None = None
    intrinsics: NDArray[np.float64] | None = None
    position: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    orientation: NDArray[np.float64] = field(default_factory=lambda: np.array([0.0, 0.0, 0.0, 1.0]))


def read_scene(path: Path, *, strict: bool = False) -> Scene:
    """Raises FileNotFoundError for no such file, and what `parse_scene` raises."""
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        text = read_text(path, "world")
    except InputError as error:
        raise WorldParseError(error.field, error.value, error.fix) from error
    return parse_scene(text, path.resolve().parent, str(path.resolve()), strict=strict)


def parse_scene(text: str, folder: Path | None = None, source: str = "", *, strict: bool = False) -> Scene:
    """A world from YAML. `folder`: where its image lies. `strict`: unknown keys are an error, not ignored.

    Raises WorldParseError, WorldAssetError or WorldElementError, each naming key, value and fix.
    """
    _sendable("world", text, _TEXT_BYTES)  # it is sent back as it was given
    try:
        data = parse_yaml(text, "world")
    except InputError as error:
        raise WorldParseError(error.field, error.value, " ".join(error.fix.split())) from error
    if not isinstance(data, dict):
        raise WorldParseError("world", type(data).__name__, "give a mapping with at least name and model")
    if strict and (unknown := sorted(data.keys() - _KEYS)):
        raise WorldElementError(f"world.{unknown[0]}", data[unknown[0]], f"known keys: {', '.join(sorted(_KEYS))}")
    pose = data.get("start_pose") or {}
    if not isinstance(pose, dict):
        raise WorldParseError("world.start_pose", pose, "give position: [x, y, z] and orientation: [x, y, z, w]")
    orientation = _numbers(pose, "orientation", (4,), [0.0, 0.0, 0.0, 1.0], "start_pose.")
    if abs(float(np.linalg.norm(orientation)) - 1) > 1e-3:
        raise WorldParseError("world.start_pose.orientation", orientation.tolist(), "give a unit quaternion")
    return Scene(
        name=_text(data, "name", required=True),
        model=_text(data, "model", required=True),
        source=source,
        text=text,
        description=_text(data, "description"),
        tags=_tags(data.get("tags")),
        image=_image(_text(data, "image"), folder),
        prompt=_text(data, "prompt"),
        seed=_seed(data.get("seed", 0)),
        control=_numbers(data, "control", None, None) if data.get("control") is not None else None,
        intrinsics=_numbers(data, "intrinsics", (4,), None) if data.get("intrinsics") is not None else None,
        position=_numbers(pose, "position", (3,), [0.0, 0.0, 0.0], "start_pose."),
        orientation=orientation / np.linalg.norm(orientation),
    )


def _text(data: dict[str, Any], key: str, *, required: bool = False) -> str:
    value = data.get(key)
    if required and not (isinstance(value, str) and value):
        raise WorldParseError(f"world.{key}", value, "give a text; it is required")
    return _sendable(f"world.{key}", "" if value is None else value, _LIMITS.get(key, PROMPT_BYTES))


def _sendable(field: str, value: object, max_bytes: int) -> str:
    try:
        return require_text(field, value, max_bytes)
    except InputError as error:
        raise WorldParseError(error.field, error.value, error.fix) from error


def _tags(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise WorldParseError("world.tags", type(value).__name__, "give a list of texts")
    return tuple(_sendable("world.tags", str(tag), NAME_BYTES) for tag in value)


def _seed(value: object) -> int:
    try:
        return require_whole("world.seed", value, 0, MAX_SEED)
    except InputError as error:
        raise WorldParseError(error.field, error.value, error.fix) from error


def _numbers(
    data: dict[str, Any], key: str, shape: tuple[int, ...] | None, default: list[float] | None, prefix: str = ""
) -> NDArray[np.float64]:
    value = data.get(key, default)
    try:
        array = np.array(value, np.float64)
    except (TypeError, ValueError) as error:
        raise WorldParseError(f"world.{prefix}{key}", value, "give a list of numbers") from error
    if array.ndim != 1 or (shape is not None and array.shape != shape) or not np.isfinite(array).all():
        wanted = f"{shape[0]} finite numbers" if shape else "a list of finite numbers"
        raise WorldParseError(f"world.{prefix}{key}", value, f"give {wanted}")
    return array


def _image(name: str, folder: Path | None) -> NDArray[np.uint8] | None:
    if not name:
        return None
    path = Path(name) if folder is None else folder / name
    if not path.is_absolute():
        raise WorldAssetError("world.image", f"'{name}'", "in a world given as text, give an absolute path")
    try:
        return read_image(path, "world.image")
    except InputError as error:
        raise WorldAssetError(error.field, error.value, error.fix) from error
