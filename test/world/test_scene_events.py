"""Prompts in the world of rooms: what they show, that they clear exactly, and that the simulator shows the same."""

from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.control.keys import parse_key_script, script_poses
from lingbot_ros.errors import InputError
from lingbot_ros.model.scene.events import Event
from lingbot_ros.training.scene.phrasings import held_out
from lingbot_ros.training.scene.read_events import train_event_reader
from lingbot_ros.world import World
from lingbot_ros.world.scene_session import SceneSession
from lingbot_ros.world.snapshot import Snapshot

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def world() -> World:
    return World.load("rooms-small", threads=1)


def test_a_prompt_acts_at_once_and_clears_exactly(world: World) -> None:
    session, poses = world.start(world.seed_image()), script_poses(parse_key_script("wl-12"))[:12]
    never = session.fork()
    shown = []
    for number, pose in enumerate(poses):
        session.prompt = ("", "the lights go out", "red walls", "thick fog")[number // 3]
        shown.append((session.step(pose[None])[0].astype(float), never.step(pose[None])[0].astype(float)))
    assert all(np.array_equal(one, other) for one, other in shown[:3])
    dark, plain = shown[5]
    assert dark.mean() < 0.5 * plain.mean()
    red, plain = shown[8]
    assert (red[..., 0] / red[..., 2].clip(1)).mean() > 1.2 * (plain[..., 0] / plain[..., 2].clip(1)).mean()
    foggy, plain = shown[11]
    assert foggy.std() < 0.8 * plain.std()
    session.prompt = ""
    assert np.array_equal(session.step(poses[-1][None]), never.step(poses[-1][None]))
    session.close(), never.close()


def test_a_thing_stays_where_it_appeared_blocks_and_is_gone_when_cleared(world: World, tmp_path: Path) -> None:
    session = world.start(world.seed_image())
    poses = script_poses(parse_key_script("none-1,l-10"))
    never = session.fork()
    session.prompt = "a red ball appears"
    first, plain = session.step(poses[:1])[0].astype(int), never.step(poses[:1])[0].astype(int)
    ball = abs(first - plain).sum(-1) > 0
    assert 0.005 < ball.mean() < 0.4 and abs(np.nonzero(ball)[1].mean() - 64) < 6
    assert (first[ball][:, 0] > 100).all() and (first[ball][:, 1:] == 0).all()
    for pose in poses[1:]:
        turned, plain = session.step(pose[None])[0].astype(int), never.step(pose[None])[0].astype(int)
    ball = abs(turned - plain).sum(-1) > 0
    assert ball.any() and np.nonzero(ball)[1].mean() < 50  # turned to the right, it is further left
    session.snapshot().save(tmp_path / "one")
    restored, fork = world.restore(Snapshot.load(tmp_path / "one")), session.fork()
    assert np.array_equal(restored.step(poses[:1]), fork.step(poses[:1]))
    on = script_poses(parse_key_script("w-60"))
    for pose in on:
        fork.step(pose[None])
    assert fork.view.motion_blocked and fork.camera_pose[2, 3] < on[-1][2, 3] - 0.3
    session.prompt = ""
    assert np.array_equal(session.step(poses[-1:]), never.step(poses[-1:]))
    for one in (session, restored, fork, never):
        one.close()


def test_what_it_cannot_read_is_refused_and_changes_nothing(world: World) -> None:
    session = world.start(world.seed_image())
    session.prompt = "dim light"
    with pytest.raises(InputError, match="light .* fog .* walls"):
        session.prompt = "a dog runs by"
    assert session.prompt == "dim light"
    session.close()
    with pytest.raises(InputError, match="prompt"):
        world.start(world.seed_image(), prompt="push the block to the goal")
    assert not world.sessions


def test_sentences_that_no_training_saw_are_read(world: World) -> None:
    session, right = world.start(world.seed_image()), 0
    assert isinstance(session, SceneSession)
    for text, meant in held_out():
        session.prompt = ""
        try:
            session.prompt = text
            right += meant is not None and same(session.event, meant)
        except InputError:
            right += meant is None
    session.close()
    assert right >= 0.9 * len(held_out())


def test_a_reader_is_trained() -> None:
    texts, meant = map(list, zip(*held_out(), strict=True))
    before, after = (float(train_event_reader(0, iterations).loss(texts, meant)) for iterations in (1, 40))
    assert after < 0.8 * before


def same(one: Event, other: Event) -> bool:
    """Whether they show the same: a colour without a thing is none."""
    fields = ["light", "fog", "walls", "thing"] + (["thing_colour"] if other.thing != "none" else [])
    return all(getattr(one, name) == getattr(other, name) for name in fields)
