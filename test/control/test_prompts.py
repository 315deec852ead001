"""Prompts that change in the course of a film, from a file and in parts of it."""

from pathlib import Path

import pytest

from lingbot_ros.control.prompts import PromptEvent, prompt_in_force, prompts_from, read_prompts
from lingbot_ros.errors import InputError

EVENTS = [PromptEvent(8, "snow"), PromptEvent(40, ""), PromptEvent(60, "night")]


def test_a_file_counts_in_frames_or_seconds(tmp_path: Path) -> None:
    (tmp_path / "prompts.yaml").write_text("- {frame: 8, prompt: snow}\n- {time_s: 2.5, prompt: }\n", "utf-8")
    assert read_prompts(tmp_path / "prompts.yaml", "--prompts", 16.0) == EVENTS[:2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--prompts: got .*give a list"),
        ("frame: 3", "--prompts: got .*give a list"),
        ("- snow", r"--prompts\[0\]: got 'snow'; give prompt and one of"),
        ("- {frame: 1, time_s: 2, prompt: snow}", r"--prompts\[0\]: got the keys"),
        ("- {frame: -1, prompt: snow}", r"--prompts\[0\].frame: got -1"),
        ("- {time_s: .nan, prompt: snow}", r"--prompts\[0\].time_s: got nan"),
        ("- {frame: 1, prompt: [snow]}", r"--prompts\[0\].prompt: got list; give a text"),
        ("- {frame: 9, prompt: snow}\n- {time_s: 0.5, prompt: rain}", r"--prompts\[1\].frame: got 8; .*ascending"),
    ],
)
def test_a_file_that_cannot_be_used_names_the_entry(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "prompts.yaml").write_text(text, "utf-8")
    with pytest.raises(InputError, match=message):
        read_prompts(tmp_path / "prompts.yaml", "--prompts", 16.0)


@pytest.mark.parametrize("cut", [5, 13, 45, 61])
def test_the_parts_of_a_film_have_the_prompts_of_the_whole(cut: int) -> None:
    chunks = [(0, 5), *((first, first + 8) for first in range(5, 85, 8))]
    whole = [prompt_in_force(EVENTS, end, "base") for _, end in chunks]
    cut = next(end for _, end in chunks if end >= cut)
    head, tail = prompts_from(EVENTS, 0, cut), prompts_from(EVENTS, cut, 85)
    parts = [prompt_in_force(head, end, "base") for _, end in chunks if end <= cut]
    parts += [prompt_in_force(tail, end - cut, "base") for first, end in chunks if first >= cut]
    assert parts == whole
    assert set(whole) == {"base", "snow", "night"}
