"""How a model is to be loaded: every choice that is not the card's, as one value."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from lingbot_ros.engine.torch_engine import resolve_device
from lingbot_ros.errors import InputError
from lingbot_ros.home import expanded
from lingbot_ros.model.framing import Fit
from lingbot_ros.model_options import MODEL_OPTIONS, Plain
from lingbot_ros.world.pose_memory import MemoryOptions

PromptPolicy = Literal["keep", "recompute"]
"""When a session's prompt changes: keep what it remembers, which changes gradually, or read its window again under the
new prompt, which changes at once and costs one forward per chunk of the window (model_spec 5.4)."""


@dataclass(frozen=True)
class LoadOptions:
    """`World.load` says what each means; None is the card's own value. `size` is height and width in pixels,
    or an area in pixels for frames of the card's aspect.

    Checked here is what any model would refuse; `world.adapted_card` checks the options against a card. Raises
    InputError naming field, value and fix.
    """

    name: str | Path
    engine: str = "auto"
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0
    engine_file_path: Path | None = None
    force_engine_update: bool = False
    verbose: bool = False
    size: tuple[int, int] | int | None = None
    fit: Fit = "aspect"
    clip_frames: int | None = None
    one_step: bool = False
    text_only: bool = False
    noise: Path | None = None
    steps: int | None = None
    shift: float | None = None
    guidance: float | None = None
    guidance_low: float | None = None
    negative_prompt: str | None = None
    window: int | None = None
    sink: int | None = None
    prompt_policy: PromptPolicy = "keep"
    text_device: str = "cpu"
    light_decoder: Path | None = None
    memory: MemoryOptions | None = None
    offload_expert: bool = False

    def __post_init__(self) -> None:
        if self.threads < 0:
            raise InputError("threads", self.threads, "give 0 (decide by the machine) or a positive number")
        policies = get_args(PromptPolicy)
        if self.fit not in get_args(Fit):
            raise InputError("fit", repr(self.fit), f"use one of {', '.join(get_args(Fit))}")
        if self.prompt_policy not in policies:
            raise InputError("prompt_policy", repr(self.prompt_policy), f"use one of {', '.join(policies)}")
        for name in ("engine_file_path", "force_engine_update", "verbose"):
            if getattr(self, name) and self.engine not in ("auto", "tensorrt", "tensorrt_rtx"):
                fix = f"engine {self.engine} has no plans: leave it out, or use tensorrt or tensorrt_rtx"
                raise InputError(name, getattr(self, name), fix)
        if self.text_device.partition(":")[0] not in ("cpu", "cuda"):
            raise InputError("text_device", repr(self.text_device), "use cpu, cuda or cuda:N")
        lowest = {"steps": 1, "guidance": 1, "guidance_low": 1, "window": 1, "sink": 0}
        for field, low in lowest.items():
            value = getattr(self, field)
            if value is not None and not low <= value < math.inf:
                raise InputError(field, value, f"give a number of at least {low}, or none for the card's")
        if self.shift is not None and not 0 < self.shift < math.inf:
            raise InputError("shift", self.shift, "give a positive number, or none for the card's")

    def resolved(self) -> "LoadOptions":
        """With what `auto` means here for device and precision. Raises EngineError or InputError."""
        device, precision = resolve_device(self.device, self.precision)
        resolve_device(self.text_device, "auto")
        return replace(self, device=device, precision=precision)

    @classmethod
    def from_plain(cls, values: Mapping[str, Plain]) -> "LoadOptions":
        """From the values of `model_options.MODEL_OPTIONS` by name; those that are not given have their default."""
        given: dict[str, Any] = {option.name: option.default for option in MODEL_OPTIONS} | dict(values)
        for name in ("clip_frames", "steps", "shift", "guidance", "guidance_low", "negative_prompt", "window"):
            given[name] = given[name] or None
        given["sink"] = None if given["sink"] < 0 else given["sink"]
        given["size"] = _size(given["size"]) if given["size"] else None
        for name in _PATHS:
            given[name] = expanded(given[name], name) if given[name] else None
        given["memory"] = MemoryOptions.of_places(given["memory"])
        return cls(**given)

    def to_plain(self) -> dict[str, Plain]:
        """The reverse of `from_plain`; of the memory only the size of its bank is kept."""
        values = {option.name: getattr(self, option.name) for option in MODEL_OPTIONS}
        values["name"] = str(self.name)
        values["size"] = f"{self.size[1]}x{self.size[0]}" if isinstance(self.size, tuple) else str(self.size or "")
        for name in _PATHS:
            values[name] = str(values[name]) if values[name] else None
        values["memory"] = self.memory.bank if self.memory else None
        return {o.name: o.default if values[o.name] is None else values[o.name] for o in MODEL_OPTIONS}


_PATHS = ("light_decoder", "engine_file_path", "noise")
_AREAS = {"480p": 480 * 832, "720p": 720 * 1280}
_LEAST_PIXELS, _MOST_PIXELS = 32 * 32, 2**26
"""Of an area. Below, a number is more likely a height, as in `64`, than an area."""


def _size(text: str) -> tuple[int, int] | int:
    """Height and width of WIDTHxHEIGHT, or an area: 480p, 720p, HEIGHT*WIDTH as the released code has it, a number."""
    text = text.strip().lower()
    width, _, height = text.partition("x")
    rows, _, columns = text.partition("*")
    size: tuple[int, int] | int = _AREAS.get(text, 0)
    if all(part.isdecimal() and len(part) < _DIGITS for part in (width, height)):
        size = int(height), int(width)
    elif all(part.isdecimal() and len(part) < _DIGITS for part in (rows, columns)):
        size = int(rows) * int(columns)
    elif text.isdecimal() and len(text) < _DIGITS:
        size = int(text)
    least, pixels = (_LEAST_PIXELS, size) if isinstance(size, int) else (1, size[0] * size[1])
    if not least <= pixels <= _MOST_PIXELS:
        fix = "give WIDTHxHEIGHT in pixels, as 832x464, or an area: 480p, 720p, 480*832 or a number of pixels"
        raise InputError("size", repr(text), fix)
    return size


_DIGITS = 10
