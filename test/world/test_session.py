"""Sessions as values: the same past and controls give the same frames, bit for bit."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from lingbot_ros.errors import InputError, SessionError
from lingbot_ros.world import Session, World

Frames = NDArray[np.uint8]
Actions = NDArray[np.float64]


def run(session: Session, actions: Actions) -> Frames:
    frames = [session.step(action) for action in actions]
    return np.concatenate(frames) if frames else np.empty((0, 32, 32, 3), np.uint8)


@pytest.fixture
def session(world: World, image: Frames) -> Iterator[Session]:
    session = world.start(image, seed=7)
    yield session
    session.close()


def test_frames_have_the_promised_shape_and_the_clock_runs(session: Session, actions: Actions, world: World) -> None:
    frames = run(session, actions[:3])
    assert frames.shape == (3, 32, 32, 3) and frames.dtype == np.uint8
    assert (session.chunk_index, session.frame_index, session.time_s) == (3, 3, 3 / world.info.fps)


def test_same_seed_and_controls_same_frames(session: Session, world: World, image: Frames, actions: Actions) -> None:
    again = world.start(image, seed=7)
    assert np.array_equal(run(session, actions), run(again, actions))
    again.close()


def test_frames_depend_on_the_controls(session: Session, world: World, image: Frames, actions: Actions) -> None:
    other = world.start(image, seed=7)
    assert not np.array_equal(run(session, actions), run(other, actions[::-1]))
    other.close()


def test_flow_models_depend_on_the_seed(world: World, image: Frames, actions: Actions) -> None:
    one, two = world.start(image, seed=1), world.start(image, seed=2)
    differ = not np.array_equal(run(one, actions[:4]), run(two, actions[:4]))
    assert differ == (world.card.architecture.prediction == "velocity")
    one.close()
    two.close()


@pytest.mark.parametrize("past", [0, 2, 11])
def test_fork_continues_identically_and_shares_nothing(
    session: Session, world: World, image: Frames, actions: Actions, past: int
) -> None:
    straight = world.start(image, seed=7)
    expected = run(straight, actions)
    run(session, actions[:past])
    fork = session.fork()
    assert fork.parent_id == session.id and fork.id != session.id
    run(fork, actions[::-1][:5])  # a different future must not touch the parent
    assert np.array_equal(run(session, actions[past:]), expected[past:])
    straight.close()
    fork.close()


@pytest.mark.parametrize("past", [0, 2, 11])
def test_snapshot_restores_identically_here_and_in_a_new_session(
    session: Session, world: World, actions: Actions, past: int
) -> None:
    run(session, actions[:past])
    snapshot = session.snapshot()
    expected = run(session, actions[past:20])
    restored = world.restore(snapshot)
    assert np.array_equal(run(restored, actions[past:20]), expected)
    session.restore(snapshot)
    assert session.frame_index == past
    assert np.array_equal(run(session, actions[past:20]), expected)
    restored.close()


def test_observe_makes_reality_the_past(session: Session, world: World, image: Frames, actions: Actions) -> None:
    twin, other, imagined = (world.start(image, seed=7) for _ in range(3))
    real = imagined.step(actions[0])
    for observer, frame in ((session, real), (twin, real), (other, 255 - real)):
        observer.observe(frame, actions[0])
    assert session.frame_index == 1
    expected = session.step(actions[1]).astype(int)
    assert np.array_equal(twin.step(actions[1]), expected)
    assert np.abs(other.step(actions[1]) - expected).mean() > 2
    if world.card.architecture.prediction == "motion":
        # What was imagined lives on unrounded, what was observed has 8 bits.
        assert np.abs(imagined.step(actions[1]) - expected).mean() < 0.5
    for extra in (twin, other, imagined):
        extra.close()


def test_observed_frames_of_another_shape_are_refused(session: Session, actions: Actions) -> None:
    with pytest.raises(InputError, match="frames"):
        session.observe(np.zeros((1, 16, 16, 3), np.uint8), actions[0])
    assert session.frame_index == 0


BAD_CONTROLS = [
    pytest.param([[np.nan, 1.0]], "action[0].x", "nan", id="NaN"),
    pytest.param([[1.0, 513.0]], "action[0].y", "513", id="out of range"),
    pytest.param([[1.0, -np.inf]], "action[0].y", "-inf", id="infinite"),
    pytest.param([[1.0, 2.0, 3.0]], "action", "[1, 3]", id="too long"),
    pytest.param([[1.0, 2.0]] * 2, "action", "[2, 2]", id="too many"),
    pytest.param([["a", "b"]], "action", "a", id="not numbers"),
]


@pytest.mark.parametrize(("controls", "field", "value"), BAD_CONTROLS)
def test_bad_controls_are_named_and_change_nothing(
    session: Session, world: World, image: Frames, actions: Actions, controls: object, field: str, value: str
) -> None:
    untouched = world.start(image, seed=7)
    run(session, actions[:6])
    run(untouched, actions[:6])
    with pytest.raises(InputError) as error:
        session.step(controls)  # type: ignore[arg-type]
    assert error.value.field == field and value in str(error.value)
    assert np.array_equal(run(session, actions[6:12]), run(untouched, actions[6:12]))
    untouched.close()


def test_a_failure_in_the_middle_of_a_chunk_changes_nothing(
    session: Session, world: World, image: Frames, actions: Actions, monkeypatch: pytest.MonkeyPatch
) -> None:
    untouched = world.start(image, seed=7)
    run(session, actions[:9])
    run(untouched, actions[:9])
    with monkeypatch.context() as patch:

        def out_of_memory(*_: object) -> None:
            raise MemoryError("decoder")

        patch.setattr(type(world.model.autoencoder), "decode", out_of_memory)
        with pytest.raises(MemoryError):
            session.step(actions[9])
    assert session.frame_index == 9
    assert np.array_equal(run(session, actions[9:15]), run(untouched, actions[9:15]))
    untouched.close()


@pytest.mark.parametrize(
    ("bad", "value"),
    [
        (np.zeros((32, 32), np.uint8), "[32, 32]"),
        (np.zeros((32, 32, 4), np.uint8), "[32, 32, 4]"),
        (np.zeros((32, 32, 3), np.float32), "float32"),
        (np.zeros((0, 32, 3), np.uint8), "[0, 32, 3]"),
    ],
)
def test_bad_seed_images_are_refused(world: World, bad: NDArray[np.uint8], value: str) -> None:
    before = dict(world.sessions)
    with pytest.raises(InputError, match="image") as error:
        world.start(bad)
    assert value in str(error.value)
    assert world.sessions == before


def test_other_sizes_are_resized(world: World, actions: Actions) -> None:
    session = world.start(np.full((60, 100, 3), 200, np.uint8))
    assert session.step(actions[0]).shape == (1, 32, 32, 3)
    session.close()


def test_prompt_intrinsics_and_seed_are_refused_where_they_mean_nothing(world: World, image: Frames) -> None:
    for arguments, field in (
        ({"prompt": "rain"}, "prompt"),
        ({"intrinsics": [1, 1, 1, 1]}, "intrinsics"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": None}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": np.array(1.5)}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"session_id": "\ud800"}, "session_id"),
    ):
        with pytest.raises(InputError) as error:
            world.start(image, **arguments)  # type: ignore[arg-type]
        assert error.value.field == field
    assert not world.sessions


def test_ids_are_unique_and_closed_sessions_say_so(world: World, image: Frames, actions: Actions) -> None:
    session = world.start(image, session_id="a")
    with pytest.raises(SessionError, match="in use"):
        world.start(image, session_id="a")
    session.close()
    session.close()
    for call in (lambda: session.step(actions[0]), session.fork, session.snapshot):
        with pytest.raises(SessionError, match="closed"):
            call()
    world.start(image, session_id="a").close()


def test_time_and_memory_do_not_grow_with_a_session(session: Session, world: World, actions: Actions) -> None:
    """A session's tensors are allocated once, and the cache never shows more than its window."""
    sizes = []
    for _ in range(8):
        run(session, actions)
        sizes.append(sum(t.numel() * t.element_size() for t in session._branches[0].tensors.values()))
        assert session._branches[0].cache.slot.length == world.card.stream.window
    assert len(set(sizes)) == 1 and sizes[0] == world.info.session_bytes
