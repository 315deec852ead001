"""Closed-loop rollouts in small real worlds and in the true simulator."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import EngineError, InputError
from lingbot_ros.evaluate.policies import EachRow, RowPolicies, Start
from lingbot_ros.evaluate.policies.batched import Batched
from lingbot_ros.evaluate.policies.patience import Patience
from lingbot_ros.evaluate.policies.recorded import RecordedActions
from lingbot_ros.evaluate.rollouts import Ending, Job, Progress, Rollout, RolloutStore, RowError, Stepper, run_rollouts
from lingbot_ros.evaluate.rollouts.worlds import BatchStepper, SessionStepper
from lingbot_ros.tasks.pusht.evaluation.stepper import PushTStepper
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator
from lingbot_ros.world import World
from test.support.evaluated_policies import Brightness, Failing, Seer, SeerBatch, starts
from test.support.tiny_camera import write_tiny_camera_model
from test.support.tiny_model import write_tiny_model

SCORER = Brightness()


def policies() -> list[RowPolicies]:
    return [EachRow("exact", lambda: Seer(noise=0.0)), EachRow("noisy", Seer), Batched("batched", SeerBatch)]


def play(folder: Path, job: Job, stepper: Stepper, scorer: Brightness = SCORER, **extra) -> list[Rollout]:
    fingerprint = job.fingerprint(f"{scorer.name} {scorer.version}", stepper.rows)
    with RolloutStore(folder / "rollouts.jsonl", fingerprint) as store:
        return run_rollouts(job, stepper, scorer, store, **extra)


def test_every_policy_is_played_from_every_start(tmp_path: Path, world: World) -> None:
    job = Job("imagined", policies(), starts(3), horizon=6)
    seen: list[Progress] = []
    found = play(tmp_path, job, SessionStepper(world, 4), progress=seen.append)
    assert [rollout.key for rollout in found] == [
        (p, f"start{s}") for p in ("exact", "noisy", "batched") for s in range(3)
    ]
    for rollout in found:
        assert rollout.ending is Ending.HORIZON
        assert (len(rollout.scores), np.shape(rollout.actions)) == (6, (6, 2))
        assert rollout.arm == "imagined" and rollout.seen_in_training is False
    assert [progress.done for progress in seen] == list(range(1, 10))
    assert seen[-1].eta_s == 0.0 and seen[-1].total == 9
    assert min(seen[-1].seconds.world, seen[-1].seconds.policies, seen[-1].seconds.scorer) > 0


def test_a_rollout_is_what_a_session_imagines_under_the_same_actions(tmp_path: Path, world: World) -> None:
    kept: dict[tuple[str, str], np.ndarray] = {}
    job = Job("imagined", policies()[:2], starts(2), horizon=5)
    found = play(
        tmp_path, job, SessionStepper(world, 3), keep=lambda rollout, frames: kept.__setitem__(rollout.key, frames)
    )
    for rollout in found:
        start = next(start for start in job.starts if start.id == rollout.start)
        session = world.start(start.image, seed=rollout.seed)
        again = np.concatenate([session.step([action]) for action in rollout.actions])
        session.close()
        frames = kept[rollout.key]
        assert (frames[0] == start.image).all()
        assert (frames[1:] == again).all()
        assert rollout.scores == tuple(SCORER.score(again))


def test_batched_rows_play_what_sessions_play(tmp_path: Path, world: World) -> None:
    job = Job("imagined", [RecordedActions("replay", np.random.default_rng(0).uniform(0, 512, (8, 2)))], starts(5), 8)
    alone = play(tmp_path / "alone", job, SessionStepper(world, 5))
    stepper = BatchStepper(world, rows=6)
    together = play(tmp_path / "together", job, stepper)
    for one, other in zip(alone, together, strict=True):
        assert one.actions == other.actions
        assert one.scores == pytest.approx(other.scores, abs=1 / 255)


def test_a_row_that_nobody_steps_waits_and_one_that_is_refused_ends_alone(world: World) -> None:
    stepper, (one, other) = BatchStepper(world, 2), starts(2)
    stepper.start(0, one, 0)
    stepper.start(1, other, 0)
    actions = np.random.default_rng(1).uniform(0, 512, (4, 1, 2))
    for index, rows in enumerate([(0, 1), (0,), (0,), (0, 1)]):
        shown = stepper.step(dict.fromkeys(rows, actions[index]))
        assert set(shown) == set(rows)
    session = world.start(other.image, seed=0)
    session.step(actions[0])
    np.testing.assert_allclose(np.asarray(shown[1], int), session.step(actions[3]), atol=1)
    session.close()
    shown = stepper.step({0: np.full((1, 2), np.nan), 1: actions[0]})
    assert isinstance(shown[0], RowError) and not isinstance(shown[1], RowError)
    stepper.start(0, one, 0)
    assert not isinstance(stepper.step({0: actions[0]})[0], RowError)


def test_the_policy_seed_is_that_of_the_policy_and_the_start_in_every_arm() -> None:
    imagined = Job("imagined", policies(), starts(3), horizon=6)
    reference = Job("reference", policies()[1:], starts(2), horizon=9)
    start = imagined.starts[1]
    assert imagined.seed_of("noisy", start) == reference.seed_of("noisy", start)
    seeds = {imagined.seed_of(policy.name, start) for policy in imagined.policies for start in imagined.starts}
    assert len(seeds) == 9
    assert Job("imagined", policies(), starts(3), 6, seed=1).seed_of("noisy", start) not in seeds


class Killed(BaseException):
    """What ends a run from outside."""


@pytest.mark.parametrize("killed_after", [1, 4, 7])
@pytest.mark.parametrize("batched", [False, True])
def test_a_killed_run_goes_on_to_the_same_numbers(
    tmp_path: Path, world: World, killed_after: int, batched: bool
) -> None:
    def stepper() -> Stepper:
        return BatchStepper(world, 4) if batched else SessionStepper(world, 4)

    def job() -> Job:
        return Job("imagined", policies(), starts(3), horizon=6, stop_at=0.55)

    def kill(progress: Progress) -> None:
        if progress.done == killed_after:
            raise Killed

    whole = play(tmp_path / "whole", job(), stepper())
    with pytest.raises(Killed):
        play(tmp_path / "killed", job(), stepper(), progress=kill)
    again: list[Progress] = []
    assert play(tmp_path / "killed", job(), stepper(), progress=again.append) == whole
    assert len(again) == len(whole) - killed_after
    finished: list[Progress] = []
    assert play(tmp_path / "killed", job(), stepper(), progress=finished.append) == whole
    assert not finished


def test_sessions_are_closed_whatever_happens(tmp_path: Path) -> None:
    world = World.load(write_tiny_model(tmp_path))

    def kill(progress: Progress) -> None:
        raise Killed

    with pytest.raises(Killed):
        play(tmp_path, Job("imagined", policies(), starts(3), 2), SessionStepper(world, 4), progress=kill)
    assert not world.sessions


@pytest.mark.parametrize(
    ("how", "failure", "reason"),
    [
        ("crash", "policy_crashed", "RuntimeError: the gripper is gone"),
        ("leave", "policy_crashed", "SystemExit: 1"),
        ("nan", "policy_bad_action", "component 1 of action 0 is nan"),
        ("shape", "policy_bad_action", "shape"),
        ("words", "policy_bad_action", "type str"),
        ("stall", "policy_stalled", "no answer after 1 s"),
    ],
)
@pytest.mark.parametrize("batched", [False, True])
def test_a_policy_that_fails_is_counted_with_the_reason_and_the_others_go_on(
    tmp_path: Path, world: World, how: str, failure: str, reason: str, batched: bool
) -> None:
    patience = Patience(give_up_after_s=1.0) if how == "stall" else None
    job = Job("imagined", [EachRow("bad", lambda: Failing(how), patience), *policies()[:1]], starts(2), horizon=5)
    stepper = BatchStepper(world, 4) if batched else SessionStepper(world, 4)
    found = play(tmp_path, job, stepper)
    bad, good = found[:2], found[2:]
    for rollout in bad:
        assert (rollout.ending, rollout.failure) == (Ending.INVALID, failure)
        assert reason in rollout.reason
        assert len(rollout.scores) == 2
        assert rollout.success(0.0) is None
    for rollout in good:
        assert rollout.ending is Ending.HORIZON
        assert rollout.success(0.0) is True


def test_a_late_answer_does_not_count(tmp_path: Path, world: World) -> None:
    now = [0.0]

    class Slow(Seer):
        def act(self, observation):
            now[0] += 0.4 * (observation.step + 1)
            return super().act(observation)

    slow = EachRow("slow", Slow, Patience(late_after_s=1.0), clock=lambda: now[0])
    (rollout,) = play(tmp_path, Job("imagined", [slow], starts(1), 5), SessionStepper(world, 1))
    assert (rollout.failure, len(rollout.scores)) == ("policy_late", 2)
    assert rollout.reason == "answered after 1.2 s; the limit is 1 s"


def test_a_factory_that_fails_fails_every_rollout_of_its_policy(tmp_path: Path, world: World) -> None:
    def broken() -> Seer:
        raise OSError("no weights")

    job = Job("imagined", [EachRow("bad", broken), Batched("worse", broken), *policies()[:1]], starts(2), 3)  # type: ignore[arg-type]
    found = play(tmp_path, job, SessionStepper(world, 3))
    assert [rollout.failure for rollout in found] == ["policy_crashed"] * 4 + [""] * 2
    assert found[0].reason == "OSError: no weights"


def test_a_batch_policy_that_fails_ends_all_its_rows_and_is_made_anew(tmp_path: Path, world: World) -> None:
    made = []

    class Once(SeerBatch):
        def act(self, rows, observations):
            if len(made) == 1:
                raise RuntimeError("out of memory")
            return super().act(rows, observations)

    def make() -> Once:
        made.append(1)
        return Once()

    found = play(tmp_path, Job("imagined", [Batched("once", make)], starts(4), 3), SessionStepper(world, 2))
    assert [rollout.failure for rollout in found] == ["policy_crashed", "policy_crashed", "", ""]


def test_a_world_that_refuses_a_start_and_a_scorer_that_fails_end_one_row(tmp_path: Path, world: World) -> None:
    first, second, third = starts(3)
    bad = Start("bad", first.image, instruction="push the block")
    job = Job("imagined", policies()[:1], [bad, second, third], horizon=3)
    for stepper in (SessionStepper(world, 3), BatchStepper(world, 3)):
        folder = tmp_path / type(stepper).__name__
        found = play(folder, job, stepper, Brightness(refuse="start1"))
        assert [rollout.failure for rollout in found] == ["world_failed", "scorer_failed", ""]
        assert "takes no text" in found[0].reason
        assert found[1].reason == "ValueError: too dark to see"


def test_a_rollout_stops_at_success_and_costs_nothing_more(tmp_path: Path, world: World) -> None:
    stepped: list[Sequence[int]] = []

    class Counting(SessionStepper):
        def step(self, actions):
            stepped.append(sorted(actions))
            return super().step(actions)

    bright = Start("bright", np.full((32, 32, 3), 250, np.uint8))
    dark = Start("dark", np.zeros((32, 32, 3), np.uint8))
    job = Job("imagined", policies()[:1], [bright, dark], horizon=4, stop_at=0.8)
    found = play(tmp_path, job, Counting(world, 2))
    assert [rollout.ending for rollout in found] == [Ending.SUCCESS, Ending.HORIZON]
    assert stepped == [[0, 1], [1], [1], [1]]
    assert found[0].success(0.8) is True
    assert found[0].success(0.999) is None
    assert found[1].success(0.8) is False


def test_actions_out_of_the_box_are_clipped_and_counted(tmp_path: Path, world: World) -> None:
    recorded = RecordedActions("wild", np.array([[600.0, 3.0], [5.0, 5.0], [-1.0, 900.0]]))
    (rollout,) = play(tmp_path, Job("imagined", [recorded], starts(1), 3), SessionStepper(world, 1))
    assert rollout.actions == ((512.0, 3.0), (5.0, 5.0), (0.0, 512.0))
    assert rollout.clipped == 2


def test_a_recording_that_is_too_short_is_said(tmp_path: Path, world: World) -> None:
    recorded = RecordedActions("short", {"start0": np.full((2, 2), 100.0)})
    found = play(tmp_path, Job("imagined", [recorded], starts(2), 3), SessionStepper(world, 2))
    assert [rollout.failure for rollout in found] == ["policy_out_of_actions"] * 2
    assert found[0].reason == "the recording ends after 2 actions"
    assert found[1].reason == "nothing was recorded for the start start1"


@pytest.mark.parametrize(("given", "taken", "asked"), [(3, 1, [0, 3, 6]), (3, 2, [0, 3, 6]), (1, 2, list(range(8)))])
def test_chunks_of_policy_and_world_need_not_fit(tmp_path: Path, given: int, taken: int, asked: list[int]) -> None:
    noted: list[int] = []

    class Noting(Seer):
        def act(self, observation):
            noted.append(observation.step)
            return super().act(observation)

    state = PushTSimulator().reset(0)
    scene = Start("scene", np.zeros((96, 96, 3), np.uint8), state=state)
    job = Job("reference", [EachRow("seer", lambda: Noting(chunk=given))], [scene], horizon=7)
    (rollout,) = play(tmp_path, job, PushTStepper(1, frames_per_step=taken))
    assert noted == asked
    assert (len(rollout.scores), len(rollout.actions)) == (7, 7)


def test_the_true_simulator_is_a_stepper_too(tmp_path: Path) -> None:
    simulator = PushTSimulator()
    scenes = []
    for seed in range(2):
        state = simulator.reset(seed)
        scenes.append(Start(f"scene{seed}", simulator.render(), state=state))
    job = Job("reference", policies()[:2], scenes, horizon=4)
    first = play(tmp_path / "first", job, PushTStepper(3))
    assert first == play(tmp_path / "second", job, PushTStepper(3))
    simulator.set_state(scenes[0].state)
    shown = []
    for action in first[0].actions:
        simulator.step(action)
        shown.append(simulator.render())
    assert first[0].scores == tuple(SCORER.score(np.stack(shown)))


def test_models_without_actions_or_rows_are_refused(tmp_path: Path, world: World) -> None:
    camera = World.load(write_tiny_camera_model(tmp_path))
    with pytest.raises(EngineError, match="not driven by actions"):
        SessionStepper(camera, 1)
    with pytest.raises(EngineError):
        BatchStepper(camera, 1)
    with pytest.raises(InputError, match="rows"):
        BatchStepper(world, 0)


def test_jobs_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="horizon"):
        Job("imagined", policies(), starts(1), 0)
    with pytest.raises(InputError, match="policies: got one name twice"):
        Job("imagined", [*policies(), *policies()], starts(1), 1)
    with pytest.raises(InputError, match="starts: got none"):
        Job("imagined", policies(), [], 1)
