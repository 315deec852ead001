"""Sessions of camera models: a whole tiny one of the released architecture, driven by keys and prompts."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from lingbot_ros.checkpoints.cards import ModelCard, find_card
from lingbot_ros.checkpoints.files import locate
from lingbot_ros.control.keys import parse_key_script, script_poses
from lingbot_ros.engine.graphs import GraphShape
from lingbot_ros.engine.interface import EngineOptions
from lingbot_ros.engine.torch_engine import TorchContext, TorchEngine
from lingbot_ros.errors import InputError, SessionError, SnapshotError
from lingbot_ros.model.config import StreamConfig
from lingbot_ros.model.unipc import UniPCConfig
from lingbot_ros.world import LoadedModel, LoadOptions, Session, Snapshot, World
from lingbot_ros.world.experts import Experts
from lingbot_ros.world.network import Network
from test.support.tiny_camera import HEIGHT, WIDTH_PX, write_tiny_camera_model, write_tiny_experts

Frames = NDArray[np.uint8]
PATH = script_poses(parse_key_script("w-8,wl-24,i-8,sj-24,none-16"))
"""81 poses: chunks of 5, 8, 8, ... frames."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def model(folder: Path) -> Path:
    return write_tiny_camera_model(folder)


@pytest.fixture(scope="module")
def world(model: Path) -> World:
    return World.load(model)


@pytest.fixture
def image() -> Frames:
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.fixture
def session(world: World, image: Frames) -> Iterator[Session]:
    session = world.start(image, prompt="a red house", seed=7)
    yield session
    session.close()


def drive(session: Session, chunks: int, path: NDArray[np.float64] = PATH) -> Frames:
    frames = []
    for _ in range(chunks):
        count = session.frames_in_next_chunk
        first = session.frame_index % (len(path) - count + 1)
        frames.append(session.step(path[first : first + count]))
    return np.concatenate(frames)


def test_chunks_of_5_then_8_frames(session: Session, world: World) -> None:
    assert (world.info.first_chunk_frames, world.info.frames_per_chunk) == (5, 8)
    assert session.frames_in_next_chunk == 5
    frames = drive(session, 3)
    assert frames.shape == (21, HEIGHT, WIDTH_PX, 3) and frames.dtype == np.uint8
    assert session.frame_index == 21 and session.frames_in_next_chunk == 8


def test_frames_follow_camera_prompt_seed_lens_and_scale(session: Session, world: World, image: Frames) -> None:
    usual = drive(session, 2)
    others = {
        "seed": world.start(image, prompt="a red house", seed=8),
        "prompt": world.start(image, prompt="night falls", seed=7),
        "lens": world.start(image, prompt="a red house", seed=7, intrinsics=(30, 30, 30, 20)),
        "scale": world.start(image, prompt="a red house", seed=7, unit_step=1.0),
        "image": world.start(255 - image, prompt="a red house", seed=7),
    }
    for what, other in others.items():
        assert not np.array_equal(drive(other, 2), usual), what
        other.close()
    turned = world.start(image, prompt="a red house", seed=7)
    assert not np.array_equal(drive(turned, 2, PATH[::-1]), usual)
    again = world.start(image, prompt="a red house", seed=7)
    assert np.array_equal(drive(again, 2), usual)
    turned.close()
    again.close()


def test_where_the_world_begins_does_not_matter(session: Session, world: World, image: Frames) -> None:
    """Only motion counts: the same path elsewhere, turned as a whole, gives the same frames."""
    elsewhere = np.array([[0.0, 0, 1, 500], [0, 1, 0, -20], [-1, 0, 0, 3], [0, 0, 0, 1]])
    other = world.start(image, prompt="a red house", seed=7)
    difference = drive(other, 3, elsewhere @ PATH).astype(int) - drive(session, 3)
    assert np.abs(difference).max() <= 1
    other.close()


@pytest.mark.parametrize("past", [0, 1, 5])
def test_forks_and_snapshots_continue_bit_for_bit(
    session: Session, world: World, model: Path, tmp_path: Path, past: int
) -> None:
    if past:
        drive(session, past)
    session.prompt = "snow in the night"  # not generated under yet
    fork, snapshot = session.fork(), session.snapshot()
    snapshot.save(tmp_path / "snapshot.safetensors")
    expected = drive(session, 4)
    assert np.array_equal(drive(fork, 4), expected)
    restored = World.load(model).restore(Snapshot.load(tmp_path / "snapshot.safetensors"))
    assert restored.prompt == "snow in the night"
    assert np.array_equal(drive(restored, 4), expected)
    fork.close()


def test_bad_poses_change_nothing(session: Session, world: World, image: Frames) -> None:
    twin = world.start(image, prompt="a red house", seed=7)
    drive(session, 2)
    with pytest.raises(InputError, match="poses"):
        session.step(PATH[:5])
    scaled = PATH[:8].copy()
    scaled[3, :3, :3] *= 2
    with pytest.raises(InputError, match=r"poses\[3\]"):
        session.step(scaled)
    drive(twin, 2)
    assert np.array_equal(drive(session, 2), drive(twin, 2))
    twin.close()


def test_a_failing_autoencoder_changes_nothing(
    session: Session, world: World, image: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = world.start(image, prompt="a red house", seed=7)
    drive(session, 4)
    drive(twin, 4)
    with monkeypatch.context() as patch:

        def out_of_memory(*_: object) -> None:
            raise MemoryError("decoder")

        patch.setattr(type(world.model.autoencoder), "decode", out_of_memory)
        with pytest.raises(MemoryError):
            drive(session, 1)
    assert np.array_equal(drive(session, 3), drive(twin, 3))
    twin.close()


def real_frames(count: int) -> Frames:
    """A bright square that moves over a dark ground."""
    frames = np.full((count, HEIGHT, WIDTH_PX, 3), 40, np.uint8)
    for index, frame in enumerate(frames):
        frame[8:20, index : index + 12] = 220
    return frames


def test_observed_chunks_are_encoded_as_one_clip(session: Session, world: World) -> None:
    """What is committed are the latents of the real clip, seen from its first frame on."""
    clip = real_frames(21)
    expected, _ = world.model.autoencoder.encode(clip, {})
    seen = []
    commit = session._condition.commit
    session._condition.commit = lambda latents: (seen.append(latents), commit(latents))[1]  # type: ignore[method-assign]
    session.observe(clip[:5], PATH[:5])
    session.observe(clip[5:13], PATH[5:13])
    session.observe(clip[13:], PATH[13:21])
    assert torch.equal(torch.cat(seen, dim=2), expected)
    assert session.frame_index == 21


def test_what_follows_depends_on_what_was_observed(session: Session, world: World, image: Frames) -> None:
    other = world.start(image, prompt="a red house", seed=7)
    drive(session, 1)
    drive(other, 1)
    session.observe(real_frames(8), PATH[5:13])
    other.observe(255 - real_frames(8), PATH[5:13])
    fork, snapshot = session.fork(), session.snapshot()
    again = world.restore(snapshot)
    expected = session.step(PATH[13:21])
    assert not np.array_equal(other.step(PATH[13:21]), expected)
    assert np.array_equal(fork.step(PATH[13:21]), expected)
    assert np.array_equal(again.step(PATH[13:21]), expected)
    for session_ in (other, fork, again):  # what they encode next depends on the frames before
        session_.close()


@pytest.mark.parametrize("past", [0, 1, 3])
def test_an_observation_after_a_fork_or_a_restore_is_the_same(session: Session, world: World, past: int) -> None:
    if past:
        drive(session, past)
    if past == 3:
        session.observe(real_frames(8), PATH[21:29])
    fork, again = session.fork(), world.restore(session.snapshot())
    frames = real_frames(session.frames_in_next_chunk)
    results = []
    for one in (session, fork, again):
        one.observe(frames, PATH[: len(frames)])
        results.append(one.step(PATH[13:21]))
    assert np.array_equal(results[1], results[0]) and np.array_equal(results[2], results[0])
    fork.close()
    again.close()


def test_memory_does_not_grow(session: Session, world: World) -> None:
    """Tensors, cache and what a copy needs are the same after 10 and after 40 chunks."""
    sizes = []
    for _ in range(2):
        drive(session, 20)
        (branch,) = session._branches
        held = (*branch.tensors.values(), *session._decoding.state().values())
        assert sum(t.numel() * t.element_size() for t in held) == world.info.session_bytes
        assert branch.cache.slot.length == 6
        sizes.append(sum(t.numel() * t.element_size() for t in session.snapshot().tensors.values()))
    assert sizes[0] == sizes[1]


def test_a_new_prompt_rewrites_the_window_if_asked(model: Path, image: Frames) -> None:
    """Keep and recompute differ from the next chunk on; both keep the sink."""
    worlds = {policy: World.load(model, prompt_policy=policy) for policy in ("keep", "recompute")}  # type: ignore[arg-type]
    frames, sinks = {}, {}
    for policy, world in worlds.items():
        session = world.start(image, prompt="a red house", seed=7)
        before = drive(session, 6)
        keys = session._branches[0].cache.keys
        sink = [key[:, :, : 2 * 6].clone() for key in keys]
        session.prompt = "snow"
        frames[policy] = (before, drive(session, 2))
        sinks[policy] = all(torch.equal(key[:, :, : 2 * 6], kept) for key, kept in zip(keys, sink, strict=True))
    assert np.array_equal(frames["keep"][0], frames["recompute"][0])
    assert not np.array_equal(frames["keep"][1], frames["recompute"][1])
    assert sinks == {"keep": True, "recompute": True}


@pytest.mark.parametrize("past", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("stream", [StreamConfig(2, 6, 2), StreamConfig(2, 7, 3), StreamConfig(2, 6, 0)], ids=str)
def test_reading_the_window_again_under_the_same_text_changes_nothing(
    folder: Path, image: Frames, stream: StreamConfig, past: int
) -> None:
    """Prompts that clean to the same text: what is recomputed must be what was there, in the right slots.

    Chunks then see only the window, not what its chunks saw when they were generated: equal while nothing was evicted.
    """
    name = f"c{stream.chunk}w{stream.window}s{stream.sink}p{past}"
    world = World.load(write_tiny_camera_model(folder, name, stream=stream), prompt_policy="recompute")
    session = world.start(image, prompt="a red house", seed=7)
    drive(session, past)
    twin = session.fork()
    twin.prompt = "a  red  house"
    expected, frames = drive(session, 3), drive(twin, 3)
    difference = np.abs(frames.astype(int) - expected).max()
    assert difference <= 1 if past * stream.chunk <= stream.window else difference < 60


def test_guidance_runs_two_branches(folder: Path, image: Frames) -> None:
    """Two caches, the negative prompt in the second; guidance 1 needs one and differs (model_spec 4.5)."""
    frames = []
    for guidance in (1.0, 5.0):
        sampler = UniPCConfig(3, 5.0, guidance=guidance, negative_prompt="rain")
        world = World.load(write_tiny_camera_model(folder, f"guided{guidance}", sampler))
        session = world.start(image, prompt="a red house", seed=7)
        frames.append(drive(session, 3))
        assert len(session._branches) == (1 if guidance == 1 else 2)
        fork, snapshot = session.fork(), session.snapshot()
        expected = drive(session, 2)
        assert np.array_equal(drive(fork, 2), expected)
        assert np.array_equal(drive(world.restore(snapshot), 2), expected)
    assert not np.array_equal(frames[0], frames[1])


def test_a_snapshot_of_another_size_names_the_size(model: Path, session: Session) -> None:
    other = World.load(model, threads=1, size=(32, 64)).start(np.zeros((32, 64, 3), np.uint8))
    message = "its frames are 48x32, this world's 64x32; load the model with size 48x32"
    with pytest.raises(SnapshotError, match=message):
        other.restore(session.snapshot())


def test_a_window_of_no_whole_chunks_is_undone_and_forked_too(model: Path, image: Frames) -> None:
    """Past its first eviction: a chunk that fails leaves the past as it was, and a fork has the same."""
    world = World.load(model, threads=1, window=5)
    session = world.start(image, prompt="snow", seed=2)
    drive(session, 4)
    fork, snapshot = session.fork(), session.snapshot()
    decode, session._decoding.decode = session._decoding.decode, lambda latents: 1 / 0  # type: ignore[method-assign]
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            drive(session, 1)
    session._decoding.decode = decode  # type: ignore[method-assign]
    expected = drive(session, 4)
    assert np.array_equal(drive(fork, 4), expected)
    assert np.array_equal(drive(world.restore(snapshot), 4), expected)


def test_a_bidirectional_model_imagines_one_clip(folder: Path, image: Frames) -> None:
    """One chunk without a past, 7 channels with keys (model_spec 4.2, 3.4)."""
    sampler = UniPCConfig(2, 10.0, guidance=5.0, commit=False)
    path = write_tiny_camera_model(folder, "clip", sampler, StreamConfig(5, 5), channels=7)
    world = World.load(path)
    session = world.start(image, prompt="snow")
    keys = np.zeros((17, 1, 4))
    still = session.fork().step(np.concatenate((PATH[:17], keys), axis=1))
    keys[:, 0, 0] = 1
    frames = session.step(np.concatenate((PATH[:17], keys), axis=1))
    assert frames.shape == (17, HEIGHT, WIDTH_PX, 3) and not np.array_equal(frames, still)
    with pytest.raises(SessionError, match="one clip"):
        session.step(np.zeros((20, 5, 4)) + np.eye(5, 4))


def write_experts(folder: Path, monkeypatch: pytest.MonkeyPatch, guidance: float = 1.0) -> tuple[ModelCard, Path, Path]:
    """A card with two experts that differ; and their folders."""
    monkeypatch.setenv("LINGBOT_WEIGHTS", str(folder))
    path, high, low = write_tiny_experts(folder, f"experts{guidance}", guidance)
    return find_card(path), high, low


def test_two_experts_share_the_work(folder: Path, image: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    """The high-noise expert at times of at least the boundary, the low-noise one below (model_spec 4.2)."""
    card, high, low = write_experts(folder, monkeypatch)
    world = world_of(card)
    assert [world.model.expert(time) for time in (999.0, 947.0, 946.0, 0.0)] == [0, 0, 1, 1]
    assert {world.model.expert(time) for time in card.sampler.timesteps} == {0, 1}
    frames = world.start(image, prompt="snow").step(PATH[:9])
    for name in (high, low):  # either alone imagines something else
        world.model.networks = [Network((name / "diffusion_pytorch_model.safetensors",), *alone(world))]
        world.model.experts = Experts(world.model.networks, "cpu", offload=False)
        assert not np.array_equal(world.start(image, prompt="snow").step(PATH[:9]), frames)


def test_the_idle_expert_waits_elsewhere(folder: Path, image: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs belongs to the expert that is awake, and frames are those of both at home.

    On the CPU both places are the same memory: that the weights leave a GPU can only be seen on one.
    """
    card, *_ = write_experts(folder, monkeypatch, guidance=5.0)
    usual = world_of(card).start(image, prompt="snow").step(PATH[:9])
    world = world_of(card, offload_expert=True)
    ran, moves, run, move = [], [], TorchContext.run, Network.move

    def watched_run(context: TorchContext) -> None:
        (owner,) = [i for i, n in enumerate(world.model.networks) if owns(n, context)]
        assert owner == world.model.experts.on_device
        ran.append(owner)
        run(context)

    def watched_move(network: Network, device: str) -> None:
        moves.append(world.model.networks.index(network))
        move(network, device)

    monkeypatch.setattr(TorchContext, "run", watched_run)
    monkeypatch.setattr(Network, "move", watched_move)
    assert np.array_equal(world.start(image, prompt="snow").step(PATH[:9]), usual)
    assert set(ran) == {0, 1}
    assert moves == [0, 1, 1, 0, 0, 1], "out and in: for the text of the low one, of the high one, and to hand over"
    assert np.array_equal(world.start(image, prompt="snow").step(PATH[:9]), usual)
    assert len(moves) == 10, "a second clip finds the low one awake"


def test_an_expert_that_did_not_arrive_is_fetched_again(
    folder: Path, image: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, *_ = write_experts(folder, monkeypatch, guidance=2.0)
    world = world_of(card, offload_expert=True)
    session = world.start(image, prompt="snow")
    move = Network.move
    with monkeypatch.context() as patch:

        def no_room(network: Network, device: str) -> None:
            if network is world.model.networks[1]:
                raise MemoryError("device")
            move(network, device)

        patch.setattr(Network, "move", no_room)
        with pytest.raises(MemoryError):
            session.step(PATH[:9])
    assert world.model.experts.on_device is None and session.frame_index == 0
    assert session.step(PATH[:9]).shape[0] == 9 and world.model.experts.on_device == 1


def test_offloading_is_refused_for_a_single_network(model: Path) -> None:
    with pytest.raises(InputError, match="offload_expert.*single network"):
        World.load(model, offload_expert=True)


def world_of(card: ModelCard, offload_expert: bool = False) -> World:
    options = LoadOptions(card.name, device="cpu", precision="f32", offload_expert=offload_expert)
    return World(LoadedModel(card, locate(card), options))


def owns(network: Network, context: TorchContext) -> bool:
    return any(program._module is context._module for program in network.programs().values())


def alone(world: World) -> tuple[GraphShape, TorchEngine, str]:
    return world.model.networks[0].shape, TorchEngine(EngineOptions()), "cpu"


def test_size_and_one_step_adapt_the_card(model: Path, image: Frames) -> None:
    world = World.load(model, size=(48, 32), one_step=True)
    assert (world.info.height, world.info.width) == (48, 32)
    assert world.card.sampler.forwards == 2
    assert drive(world.start(image), 1).shape == (5, 48, 32, 3)
    with pytest.raises(InputError, match="multiples of 16"):
        World.load(model, size=(40, 32))
    with pytest.raises(InputError, match="keep, recompute"):
        World.load(model, prompt_policy="forget")  # type: ignore[arg-type]
