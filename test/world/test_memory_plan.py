"""The memory plan against what worlds really allocate; and the refusal, before anything is read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.checkpoints.hub import HubWeights
from lingbot_ros.errors import ErrorCode, ModelError, ResourceError
from lingbot_ros.model.config import StreamConfig
from lingbot_ros.model.wan_autoencoder import WanAutoencoder
from lingbot_ros.world import LoadOptions, World
from lingbot_ros.world.memory_plan import (
    MemoryItem,
    MemoryPlan,
    free_bytes,
    missing_weights,
    plan_memory,
    require_memory,
)
from test.support.tiny_camera import write_tiny_camera_model
from test.support.tiny_model import FOUR_STEP_COMMIT, VELOCITY, write_tiny_model


def options_of(precision: str, device: str = "cpu", **choices: Any) -> LoadOptions:
    return LoadOptions("", device=device, precision=precision, **choices)


def of(plan: MemoryPlan, start: str) -> int:
    return sum(item.bytes for item in plan.items if item.name.startswith(start))


@pytest.mark.parametrize("precision", ["f32", "bf16", "int8", "fp8"])
def test_weights_and_session_are_what_a_world_allocates(tmp_path: Path, precision: str) -> None:
    stream = StreamConfig(chunk=2, window=9, sink=1)
    folder = write_tiny_model(tmp_path, config=VELOCITY, sampler=FOUR_STEP_COMMIT, stream=stream)
    world, plan = World.load(folder, precision=precision), plan_memory(find_card(folder), options_of(precision))
    assert of(plan, "transformer weights") == world.info.weights_bytes
    assert of(plan, "session") == world.info.session_bytes


@pytest.mark.parametrize(
    ("stream", "frames"), [((1, 4, 0), 1), ((2, 9, 1), 2), ((4, 18, 6), 4), ((3, 18, 9), 3), ((5, 5, 0), 0)]
)
def test_the_copy_is_one_chunk_of_the_cache(tmp_path: Path, stream: tuple[int, int, int], frames: int) -> None:
    """Also where the sink ends inside a chunk; a model of single clips has no past that it could lose."""
    card = replace(find_card(write_tiny_model(tmp_path, config=VELOCITY)), stream=StreamConfig(*stream))
    plan = plan_memory(card, options_of("f32"))
    caches = of(plan, "session: attention caches")
    assert of(plan, "copy of the cache") == caches * frames // stream[1]


def test_the_family_at_464x832() -> None:
    """Against the spec's own arithmetic (5.5): 22.2 GB of K and V at 14B, 5.00 GB at 1.3B, and text K and V (5.2)."""
    large = plan_memory(find_card("lingbot-world-v2-14b"), options_of("bf16"))
    small = plan_memory(find_card("lingbot-world-v2-1.3b"), options_of("bf16"))
    assert of(large, "session: attention caches") == pytest.approx(22.2e9 + 0.419e9, rel=3e-3)
    assert of(small, "session: attention caches") == pytest.approx(5.00e9 + 0.094e9, rel=3e-3)
    assert of(large, "transformer weights") == pytest.approx(37.1e9, rel=0.02)
    assert of(small, "text encoder") == pytest.approx(11.4e9, rel=5e-3)


def test_an_idle_expert_is_planned_in_main_memory() -> None:
    card = find_card("lingbot-world-base-cam")
    both, one = plan_memory(card, options_of("bf16")), plan_memory(card, options_of("bf16", offload_expert=True))
    assert of(both, "transformer weights") == 2 * of(one, "transformer weights")
    assert of(one, "the offloaded expert") == of(one, "transformer weights")
    (waiting,) = [item for item in one.items if item.name == "the offloaded expert"]
    assert waiting.device == "cpu" and of(both, "the offloaded expert") == 0


def test_a_light_decoder_is_planned_with_its_own_state() -> None:
    card = find_card("lingbot-world-v2-1.3b")
    full, light = (
        plan_memory(card, options_of("bf16", light_decoder=chosen)) for chosen in (None, Path("taew2_1.pth"))
    )
    pixels = card.height * card.width
    for plan, floats in ((full, 2365), (light, 84)):
        assert of(plan, "session: decoder's streaming state") == 4 * floats * pixels
        assert of(plan, "the decoder's next state") == 4 * floats * pixels
    assert of(light, "light decoder weights") == 4 * 9_844_611 and not of(full, "light decoder weights")
    assert full.needed("cpu") - light.needed("cpu") > 10e9


def test_what_cannot_fit_is_refused_with_the_numbers(tmp_path: Path) -> None:
    card = replace(find_card(write_tiny_model(tmp_path, config=VELOCITY)), stream=StreamConfig(1, 10**9, 0))
    with pytest.raises(
        ResourceError, match=r"memory: tiny in f32.*does not fit.*What would fit: tiny.*window of 1"
    ) as error:
        require_memory(card, options_of("f32", device="cpu"))
    assert error.value.code is ErrorCode.OUT_OF_MEMORY


def test_the_advice_for_two_experts_is_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a device of 140 GB, in a machine with room for the other and the text encoder."""
    free = {"cuda": 140 * 10**9, "cpu": 64 * 10**9}
    monkeypatch.setattr("lingbot_ros.world.memory_plan.free_bytes", lambda device: free[device])
    card = find_card("lingbot-world-base-cam")
    with pytest.raises(ResourceError, match=r"does not fit.*base-cam in bf16 at 832x464 with offload_expert \("):
        require_memory(card, options_of("bf16", device="cuda"))
    assert require_memory(card, options_of("bf16", device="cuda", offload_expert=True)).fits


def test_missing_weights_are_told_with_whether_they_would_fit() -> None:
    card = find_card("lingbot-world-v2-14b")
    error = missing_weights(card, options_of("bf16"), ModelError("no weights", ErrorCode.UNKNOWN_MODEL))
    assert str(error).startswith("no weights. lingbot-world-v2-14b in bf16 at 832x464") and " fit" in str(error)
    assert error.code is ErrorCode.UNKNOWN_MODEL


def test_a_model_without_weights_is_refused_with_download_and_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("LINGBOT_WEIGHTS", "")
    with pytest.raises(ModelError, match=r"models download lingbot-world-v2-1.3b.*6\.8 GB.*fit.* here: it needs .* GB"):
        World.load("lingbot-world-v2-1.3b", device="cpu")


def test_a_plan_counts_each_device_by_itself() -> None:
    items = (MemoryItem("a", 3, "cuda"), MemoryItem("b", 4, "cuda"), MemoryItem("c", 5, "cpu"))
    plan = MemoryPlan("x", items, {"cuda": 7, "cpu": 5})
    assert plan.needed("cuda") == 7 and plan.fits
    assert not MemoryPlan("x", items, {"cuda": 7, "cpu": 4}).fits


def test_free_memory_is_that_of_the_machine() -> None:
    total = next(int(line.split()[1]) * 1024 for line in Path("/proc/meminfo").read_text().splitlines())
    assert 0 < free_bytes("cpu") < total


def test_a_tiny_model_is_planned_with_its_own_text_encoder_and_autoencoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside its card, and in the layout of the hub; what is not here is planned as the released ones."""
    folder = write_tiny_camera_model(tmp_path, "tiny-hub")
    beside = find_card(folder)
    hub = replace(beside, weights=HubWeights("somebody/tiny-hub", beside.weights.bytes))
    monkeypatch.setenv("LINGBOT_WEIGHTS", str(tmp_path))
    world = World.load(folder, threads=1)
    assert isinstance(world.model.autoencoder, WanAutoencoder) and world.model._text is not None
    networks = (world.model.autoencoder.network, world.model._text._network)
    sizes = [4 * sum(parameter.numel() for parameter in network.parameters()) for network in networks]
    for card in (beside, hub):
        plan = plan_memory(card, options_of("f32"))
        assert [of(plan, "autoencoder weights"), of(plan, "text encoder")] == sizes
        assert plan.needed("cpu") < 50e6
    monkeypatch.setenv("LINGBOT_WEIGHTS", "")
    assert of(plan_memory(hub, options_of("bf16")), "text encoder") == 2 * 5_680_910_336
