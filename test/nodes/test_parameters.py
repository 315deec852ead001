"""The node's parameters as one value, without a node."""

from typing import Any

import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.nodes.imagination.parameters import PARAMETERS, config_of
from lingbot_ros.world import LoadOptions, MemoryOptions


def values(**given: Any) -> dict[str, Any]:
    return {p.name: p.default for p in PARAMETERS} | {f"model.{name}": value for name, value in given.items()}


def test_every_option_of_a_model_is_a_parameter() -> None:
    assert config_of(values()).worker.options == LoadOptions("pusht-lasting")
    given = {"size": "64x32", "guidance": 2.0, "sink": 0, "negative_prompt": "rain", "memory": 3, "text_device": "cuda"}
    expected = LoadOptions(
        "pusht-lasting",
        size=(32, 64),
        guidance=2.0,
        sink=0,
        negative_prompt="rain",
        memory=MemoryOptions.of_places(3),
        text_device="cuda",
    )
    assert config_of(values(**given)).worker.options == expected


@pytest.mark.parametrize(("name", "value"), [("guidance", 0.5), ("size", "64"), ("precision", "f12")])
def test_a_bad_one_is_named_as_the_parameter(name: str, value: object) -> None:
    with pytest.raises(InputError, match=rf"^model\.{name}: got "):
        config_of(values(**{name: value}))
