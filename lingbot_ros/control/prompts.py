"""Prompts that change in the course of a film: when each is in force, and the file that says so."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingbot_ros.errors import InputError
from lingbot_ros.input_files.regular import read_text
from lingbot_ros.input_files.yaml_text import parse_yaml
from lingbot_ros.sendable import MAX_COUNT, PROMPT_BYTES, require_text, require_whole


@dataclass(frozen=True)
class PromptEvent:
    """A prompt that is used from a frame on, counted from the first frame of the film; "" = the base prompt again."""

    frame: int
    prompt: str


def check_prompts(events: Sequence[PromptEvent], frames: int, field: str = "prompts") -> None:
    """Raise InputError unless the events come in the order of their frames, all within a film of `frames` frames."""
    before = -1
    for number, event in enumerate(events):
        require_text(f"{field}[{number}].prompt", event.prompt, PROMPT_BYTES)
        if not before < event.frame < frames:
            fix = f"give frames in ascending order, from 0 to {frames - 1}, the last one of the request"
            raise InputError(f"{field}[{number}].frame", event.frame, fix)
        before = event.frame


def prompt_in_force(events: Sequence[PromptEvent], end: int, base: str) -> str:
    """The prompt of a chunk that ends before frame `end`: that of the last event which begins in it or earlier."""
    begun = [event.prompt for event in events if event.frame < end]
    return (begun[-1] if begun else "") or base


def prompts_from(events: Sequence[PromptEvent], first: int, end: int) -> list[PromptEvent]:
    """The events of the part of a film from frame `first` to before `end`, which begins with what is in force there."""
    in_force = prompt_in_force(events, first + 1, "")
    later = [PromptEvent(event.frame - first, event.prompt) for event in events if first < event.frame < end]
    return [PromptEvent(0, in_force), *later] if in_force else later


def read_prompts(path: Path, field: str, fps: float) -> list[PromptEvent]:
    """A YAML list of keys `frame` or `time_s`, and `prompt`; frames are counted from 0, at `fps` a second.

    Raises InputError naming the entry and its fault.
    """
    entries = parse_yaml(read_text(path, field), field)
    if not isinstance(entries, list) or not entries:
        raise InputError(field, f"'{path}'", "give a list, one entry a line: - {frame: 0, prompt: a text}")
    events = [_event(entry, f"{field}[{number}]", fps) for number, entry in enumerate(entries)]
    check_prompts(events, MAX_COUNT, field)
    return events


def _event(entry: Any, field: str, fps: float) -> PromptEvent:
    keys = set(entry) if isinstance(entry, dict) else set()
    if keys not in ({"frame", "prompt"}, {"time_s", "prompt"}):
        got = f"the keys {', '.join(map(str, keys))}" if keys else repr(entry)[:80]
        raise InputError(field, got, "give prompt and one of frame and time_s")
    prompt = require_text(f"{field}.prompt", "" if entry["prompt"] is None else entry["prompt"], PROMPT_BYTES)
    if "frame" in entry:
        return PromptEvent(require_whole(f"{field}.frame", entry["frame"], 0, MAX_COUNT), prompt)
    time_s = entry["time_s"]
    if isinstance(time_s, bool) or not isinstance(time_s, int | float) or not 0 <= time_s < MAX_COUNT / fps:
        raise InputError(f"{field}.time_s", repr(time_s), "give seconds from the beginning of the film, 0 or more")
    return PromptEvent(math.floor(time_s * fps), prompt)
