"""Every option of a model: one table, one value, one place that says which model can use it."""

from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lingbot_ros.checkpoints.cards import ModelCard, find_card
from lingbot_ros.engine.precision import PRECISIONS
from lingbot_ros.errors import InputError
from lingbot_ros.model.config import StreamConfig
from lingbot_ros.model.unipc import UniPCConfig
from lingbot_ros.model_options import MODEL_OPTIONS
from lingbot_ros.world import LoadOptions, MemoryOptions, World
from lingbot_ros.world.adapted_card import adapted_card
from test.support.tiny_camera import write_tiny_camera_model
from test.support.tiny_model import write_tiny_model

GUIDED = UniPCConfig(2, 5.0, guidance=3.0, negative_prompt="rain")
EVERYTHING = LoadOptions(
    "a model",
    engine="tensorrt_rtx",
    device="cuda:1",
    precision="bf16",
    threads=3,
    engine_file_path=Path("/plans"),
    force_engine_update=True,
    verbose=True,
    size=(272, 480),
    fit="crop",
    clip_frames=161,
    one_step=True,
    text_only=True,
    noise=Path("/noise.npy"),
    steps=7,
    shift=2.5,
    guidance=4.0,
    guidance_low=3.0,
    negative_prompt="blurry: 'dark', 8",
    window=12,
    sink=0,
    prompt_policy="recompute",
    text_device="cuda",
    light_decoder=Path("/decoders/taew2_1.pth"),
    memory=MemoryOptions(bank=9),
    offload_expert=True,
)
PATH = np.tile(np.eye(4), (40, 1, 1))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        "action": write_tiny_model(folder),
        "few": write_tiny_camera_model(folder, "few"),
        "many": write_tiny_camera_model(folder, "many", GUIDED),
        "unguided": write_tiny_camera_model(folder, "unguided", UniPCConfig(2, 5.0, guidance=1.0)),
        "clip": write_tiny_camera_model(folder, "clip", UniPCConfig(2, 10.0, commit=False), StreamConfig(5, 5)),
    }


def test_the_table_has_every_option_with_its_default() -> None:
    assert [option.name for option in MODEL_OPTIONS] == [field.name for field in fields(LoadOptions)]
    assert LoadOptions.from_plain({"name": "x"}) == LoadOptions("x")
    (precision,) = [option for option in MODEL_OPTIONS if option.name == "precision"]
    assert precision.choices == ("auto", *PRECISIONS)


def test_every_option_is_a_keyword_of_python() -> None:
    keywords = set(signature(World.load).parameters) - {"options"}
    assert keywords == {field.name for field in fields(LoadOptions)}


@pytest.mark.parametrize("options", [EVERYTHING, LoadOptions("x")], ids=["everything", "nothing"])
def test_options_survive_being_written_as_text(options: LoadOptions) -> None:
    texts = {name: str(value) for name, value in options.to_plain().items()}
    assert LoadOptions.from_plain({o.name: o.parse(texts[o.name]) for o in MODEL_OPTIONS}) == options


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threads", -1),
        ("prompt_policy", "forget"),
        ("text_device", "moon"),
        ("steps", 0),
        ("shift", 0.0),
        ("shift", float("nan")),
        ("guidance", 0.5),
        ("guidance", float("inf")),
        ("window", 0),
        ("sink", -1),
    ],
)
def test_what_no_model_can_use_is_refused(field: str, value: object) -> None:
    with pytest.raises(InputError, match=f"^{field}: got "):
        LoadOptions("x", **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"), [("engine_file_path", Path("/plans")), ("force_engine_update", True), ("verbose", True)]
)
def test_options_of_tensorrt_are_refused_with_other_engines(field: str, value: object) -> None:
    with pytest.raises(InputError, match=f"^{field}: got .*engine onnxruntime has no plans"):
        LoadOptions("x", engine="onnxruntime", **{field: value})  # type: ignore[arg-type]
    assert getattr(LoadOptions("x", **{field: value}), field) == value  # type: ignore[arg-type]


@pytest.mark.parametrize("size", ["832x", "x480", "832x480x3", "-1x5"])
def test_a_size_that_cannot_be_read_is_refused(size: str) -> None:
    with pytest.raises(InputError, match=r"^size: got .*WIDTHxHEIGHT"):
        LoadOptions.from_plain({"name": "x", "size": size})


@pytest.mark.parametrize(
    ("model", "field", "value", "reason"),
    [
        ("action", "size", (32, 64), "knows one size"),
        ("action", "light_decoder", Path("x.pth"), "no Wan autoencoder"),
        ("action", "memory", MemoryOptions(), "not driven by a camera"),
        ("action", "prompt_policy", "recompute", "takes no text"),
        ("action", "text_device", "cuda", "takes no text"),
        ("few", "steps", 3, "distilled"),
        ("few", "shift", 3.0, "distilled"),
        ("few", "guidance", 3.0, "distilled"),
        ("few", "negative_prompt", "rain", "distilled"),
        ("few", "offload_expert", True, "single network"),
        ("few", "window", 2, "sink|past"),
        ("few", "sink", 5, "use 0 to"),
        ("many", "one_step", True, "not distilled"),
        ("unguided", "negative_prompt", "rain", "guidance 1"),
        ("clip", "window", 10, "one clip"),
        ("clip", "sink", 1, "one clip"),
        ("clip", "memory", MemoryOptions(), "one clip"),
    ],
)
def test_an_option_that_a_model_cannot_use_is_named(
    models: dict[str, Path], model: str, field: str, value: Any, reason: str
) -> None:
    with pytest.raises(InputError, match=reason) as error:
        World.load(models[model], **{field: value})
    assert error.value.field in (field, "sink")


def test_a_window_of_no_whole_chunks_cannot_be_computed_again(models: dict[str, Path]) -> None:
    with pytest.raises(InputError, match="window: got 5; prompt_policy recompute needs whole chunks.*give 4, or keep"):
        World.load(models["few"], window=5, prompt_policy="recompute")


def adapted(path: Path, **options: Any) -> ModelCard:
    return adapted_card(find_card(path), LoadOptions(path, **options))


def test_the_card_takes_the_options(models: dict[str, Path]) -> None:
    card = adapted(
        models["many"], steps=4, shift=7.0, guidance=2.0, negative_prompt="", window=4, sink=0, size=(64, 32)
    )
    assert card.sampler == UniPCConfig(4, 7.0, guidance=2.0, negative_prompt="")
    assert card.stream == StreamConfig(2, 4, 0) and (card.height, card.width) == (64, 32)
    assert adapted(models["few"], memory=MemoryOptions(3, 5)).stream.memory == 3
    assert adapted(models["many"]) == find_card(models["many"])


def test_sampling_options_reach_the_frames(models: dict[str, Path]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)

    def frames(**options: Any) -> NDArray[np.uint8]:
        session = World.load(models["many"], threads=1, **options).start(image, prompt="snow", seed=7)
        return np.concatenate([session.step(PATH[:5]), session.step(PATH[5:13]), session.step(PATH[13:21])])

    usual = frames()
    assert np.array_equal(frames(steps=2, guidance=3.0, negative_prompt="rain", window=6, sink=2), usual)
    changes: list[dict[str, Any]] = [
        {"steps": 3},
        {"shift": 1.0},
        {"guidance": 1.0},
        {"negative_prompt": "a red house"},
        {"window": 4},
        {"window": 5},
    ]
    for change in changes:
        assert not np.array_equal(frames(**change), usual), change


def test_one_value_loads_what_keywords_load(models: dict[str, Path]) -> None:
    options = LoadOptions(models["few"], threads=1, size=(32, 32), one_step=True)
    world = World.load(options=options)
    assert (world.card, world.info) == (
        World.load(models["few"], threads=1, size=(32, 32), one_step=True).card,
        world.info,
    )
    with pytest.raises(InputError, match="options"):
        World.load(models["few"], options=options)
    with pytest.raises(InputError, match="options"):
        World.load(options=options, threads=2)
