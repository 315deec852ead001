"""Every row of the table of model options, given in Python, on the command line and to the node, reaches the model."""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy

from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.checkpoints.hub import HubWeights
from lingbot_ros.cli.model_arguments import add_model_arguments, load_options
from lingbot_ros.cli.node_session import ros_arguments
from lingbot_ros.model.config import StreamConfig
from lingbot_ros.model.light_decoder import LightDecoder
from lingbot_ros.model.unipc import UniPCConfig
from lingbot_ros.model_options import MODEL_OPTIONS
from lingbot_ros.nodes.declared import values_of
from lingbot_ros.nodes.imagination import parameters
from lingbot_ros.nodes.imagination.node import ImaginationNode
from lingbot_ros.world import LoadOptions, MemoryOptions, World
from lingbot_ros.world.adapted_card import adapted_card
from lingbot_ros.world.load_model import load_model
from test.support.domains import borrow_domain
from test.support.tiny_camera import write_tiny_camera_model
from test.support.tiny_light_decoder import write_light_decoder


@dataclass(frozen=True)
class Row:
    """An option: the tiny model it is for, its words on the command line, its value in Python, and where it shows."""

    model: str
    words: str
    value: Any
    seen: Callable[[World], Any]
    expected: Any


ROWS = {
    "engine": Row("few", "torch", "torch", lambda world: world.info.engine.engine, "torch"),
    "device": Row("few", "cpu", "cpu", lambda world: world.model.device, "cpu"),
    "precision": Row("few", "bf16", "bf16", lambda world: world.info.engine.precision, "bf16"),
    "threads": Row("few", "2", 2, lambda world: world.info.engine.threads, 2),
    "size": Row("few", "64x32", (32, 64), lambda world: (world.card.height, world.card.width), (32, 64)),
    "fit": Row("few", "crop", "crop", lambda world: world.info.fit, "crop"),
    "clip_frames": Row("clip", "9", 9, lambda world: world.info.first_chunk_frames, 9),
    "one_step": Row("few", "", True, lambda world: world.model.sampler.config.forwards, 2),
    "text_only": Row("few", "", True, lambda world: "rays" in world.model.networks[0].allocate_shared(), False),
    "noise": Row("few", "noise.npy", "noise.npy", lambda world: world.model.noise.draw(0, 3).sum().item(), 768.0),
    "steps": Row("many", "3", 3, lambda world: len(world.model.sampler.config.timesteps), 3),
    "shift": Row("many", "2.5", 2.5, lambda world: world.model.sampler.config.shift, 2.5),
    "guidance": Row("many", "4.0", 4.0, lambda world: world.model.guidance(0), 4.0),
    "guidance_low": Row("experts", "2.5", 2.5, lambda world: [world.model.guidance(i) for i in (0, 1)], [3.0, 2.5]),
    "negative_prompt": Row("many", "red", "red", lambda world: world.model.sampler.config.negative_prompt, "red"),
    "window": Row("few", "7", 7, lambda world: world.model.ring.window, 7),
    "sink": Row("few", "0", 0, lambda world: world.model.ring.sink, 0),
    "prompt_policy": Row("few", "recompute", "recompute", lambda world: world.model.options.prompt_policy, "recompute"),
    "text_device": Row("few", "cpu", "cpu", lambda world: world.model.options.text_device, "cpu"),
    "light_decoder": Row(
        "few", "taew2_1.pth", "taew2_1.pth", lambda world: isinstance(world.model.decoder, LightDecoder), True
    ),
    "memory": Row("few", "5", MemoryOptions.of_places(5), lambda world: world.model.memory.bank, 5),
    "offload_expert": Row("experts", "", True, lambda world: world.model.options.offload_expert, True),
}
ONLY_TENSORRT = {"engine_file_path": "plans", "force_engine_update": "", "verbose": ""}
DEFAULT_IS_THE_SAME = ("engine", "device", "text_device", "threads", "noise", "memory")
"""On a CPU, or there is nothing to see without the option."""
GUIDED = UniPCConfig(2, 5.0, guidance=3.0, negative_prompt="rain")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_tiny_camera_model(folder, "few")
    write_tiny_camera_model(folder, "many", GUIDED)
    write_tiny_camera_model(folder, "clip", UniPCConfig(2, 10.0, commit=False), StreamConfig(5, 5))
    experts = write_tiny_camera_model(folder, "experts", replace(GUIDED, boundary=947.0))
    for name in ("high_noise_model", "low_noise_model"):
        (experts / name).mkdir()
        (experts / name / "model.safetensors").write_bytes((experts / "model.safetensors").read_bytes())
    np.save(folder / "noise.npy", np.ones((1, 4, 16, 2, 4, 6), np.float32))
    write_light_decoder(folder)
    return folder


@pytest.fixture(scope="module")
def context() -> Iterator[rclpy.Context]:
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=borrow_domain())
    yield context
    rclpy.try_shutdown(context=context)


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--params-file")
    parser.add_argument("--mode")
    parser.add_argument("--record")
    parser.add_argument("--namespace", default="")
    add_model_arguments(parser, "")
    return parser.parse_args(words)


def of_node(context: rclpy.Context, args: argparse.Namespace) -> LoadOptions:
    """What a node reads from the arguments that `lingbot imagine` hands on."""
    node = ImaginationNode(context=context, cli_args=["--ros-args", *ros_arguments(args, {})])
    try:
        return parameters.config_of(values_of(node, parameters.PARAMETERS)).worker.options
    finally:
        node.destroy_node()


def world_of(folder: Path, options: LoadOptions, monkeypatch: pytest.MonkeyPatch) -> World:
    if Path(options.name).name != "experts":
        return World.load(options=options)
    monkeypatch.setenv("LINGBOT_WEIGHTS", str(folder))
    card = replace(find_card(options.name), weights=HubWeights("somebody/experts", 0, experts=True))
    monkeypatch.setattr("lingbot_ros.world.load_model.find_card", lambda _: card)
    monkeypatch.setattr("lingbot_ros.world.loaded_model.find_card", lambda _: card)
    return World(load_model(options))


def test_every_option_is_tested() -> None:
    assert {"name", *ROWS, *ONLY_TENSORRT} == {option.name for option in MODEL_OPTIONS}


@pytest.mark.parametrize("name", ROWS)
def test_an_option_is_the_same_three_ways_and_reaches_the_model(
    name: str, folder: Path, context: rclpy.Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, model = ROWS[name], str(folder / ROWS[name].model)
    is_file = row.words.endswith((".npy", ".pth"))
    words = str(folder / row.words) if is_file else row.words
    value = Path(words) if is_file else row.value
    args = arguments("--model", model, f"--{name.replace('_', '-')}", *([words] if words else []))
    given = LoadOptions(model, **{name: value})
    assert load_options(args, {}) == given
    assert of_node(context, args) == given
    assert row.seen(world_of(folder, given, monkeypatch)) == row.expected
    if name not in DEFAULT_IS_THE_SAME:
        assert row.seen(world_of(folder, LoadOptions(model), monkeypatch)) != row.expected


@pytest.mark.parametrize("name", ONLY_TENSORRT)
def test_an_option_of_tensorrt_is_the_same_three_ways(name: str, folder: Path, context: rclpy.Context) -> None:
    words = [ONLY_TENSORRT[name]] if ONLY_TENSORRT[name] else []
    args = arguments("--model", str(folder / "few"), f"--{name.replace('_', '-')}", *words)
    value = Path(words[0]) if words else True
    given = LoadOptions(str(folder / "few"), **{name: value})  # type: ignore[arg-type]
    assert load_options(args, {}) == of_node(context, args) == given
    assert adapted_card(find_card(given.name), given) == find_card(given.name)
