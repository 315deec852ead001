"""Every way to spoil a card ends in one clear line, and one bad card does not hide the others."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lingbot_ros.checkpoints.cards import ModelCard, find_card
from lingbot_ros.cli.main import main
from lingbot_ros.errors import ModelError
from lingbot_ros.world import LoadOptions
from lingbot_ros.world.memory_plan import plan_memory
from test.support.tiny_model import FOUR_STEP_COMMIT, VELOCITY, write_tiny_model

ROOT = Path(__file__).parents[2]
WRONG: tuple[Any, ...] = (
    *(None, True, -1, 0, 0.5, 2**70, 10**400, float("nan"), float("inf"), "x", "", "\ud800", "y" * 10**5),
    *([], {}, [1], [[1]], {"a": 1}, ["x", "y"], [5.0, 1.0]),
)
FREE = (
    "summary",
    "description",
    "unit",
    "family",
    "licence",
    "task",
    "training",
    "quality",
    "limits",
    "folder",
    "measured",
)
"""What a person may write into."""
OFTEN = (
    *("bytes", "channels", "variants", "trust", "frames", "right_px", "doubts_px", "measured"),
    *("dim", "widths", "keyframes", "sources", "radius_m", "events", "doors", "intrinsics", "demo_poses"),
    *("name", "file", "seed_image", "max_horizon", "fps", "names", "low", "high", "timesteps", "sigmas", "commit"),
    *(
        "area",
        "ramp_px",
        "sink",
        "memory",
        "task",
        "text",
        "negative_prompt",
        "companions",
        "revision",
        "experts",
        "boundary",
    ),
    *(
        "kind",
        "repository",
        "image_plane",
        "history",
        "bands",
        "moving_layers",
        "pixel",
        "eps",
        "steps",
        "guidance",
        "shift",
    ),
)
"""Where one of `WRONG` is what another model might have."""
SHIPPED = ("pusht-small", "pusht-lasting", "rooms-small", "lingbot-world-base-act")


def leaves(data: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in data.items():
        yield (*above, key)
        if isinstance(value, dict) and key not in FREE:
            yield from leaves(value, (*above, key))


def changed(data: dict[str, Any], place: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The same with one value changed; with `...` it is left out."""
    data = copy.deepcopy(data)
    inner = data
    for key in place[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return data


@pytest.mark.parametrize("name", SHIPPED)
def test_a_spoilt_card_is_refused_or_means_something(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is accepted has a memory plan, so that it means something. Reading YAML would take most of the time."""
    path = tmp_path / "card.yaml"
    path.write_text("")
    good = yaml.safe_load((ROOT / "models" / name / "card.yaml").read_text())
    good.pop("quality", None)
    good.pop("training", None)
    spoilt = good
    monkeypatch.setattr("lingbot_ros.checkpoints.cards.parse_yaml", lambda *_: spoilt)
    ModelCard.load(path)
    accepted = []
    for place in leaves(good):
        for value in (..., *WRONG):
            spoilt = changed(good, place, value)
            try:
                card = ModelCard.load(path)
            except ModelError as error:
                told = str(error)
                assert told.startswith(f"model card: {path}") and len(told) < 1000, told
            else:
                accepted.append((place, value))
                if place[0] in ("architecture", "stream"):
                    plan_memory(card, LoadOptions("", device="cpu", precision="f32"))
    assert {place[-1] for place, value in accepted if value is not ...} <= {*FREE, *OFTEN}


def test_a_bad_card_is_one_line_in_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tiny_model(tmp_path, "good", VELOCITY, FOUR_STEP_COMMIT)
    contents = (b"", b"[]", b"\xff\xfe", b"a: [", b"5", b"\0", b"name: x")
    for number, content in enumerate(contents):
        (tmp_path / f"bad{number}").mkdir()
        (tmp_path / f"bad{number}" / "card.yaml").write_bytes(content)
    monkeypatch.setenv("LINGBOT_MODELS", str(tmp_path))
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("good ") for line in lines) and any(line.startswith("pusht-small ") for line in lines)
    for number in range(len(contents)):
        (line,) = [line for line in lines if f"bad{number}" in line]
        assert line.startswith("not read: model card: ")
    with pytest.raises(ModelError, match="model card: "):
        find_card("bad0")
