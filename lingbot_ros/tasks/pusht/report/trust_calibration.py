"""The trust of imagined frames: what a session doubts, against where the simulator has the block.

Rollouts of the validation split, which neither training nor the report sees. One half of them calibrates, the other one
tells what the trust is worth: how many wrong frames it finds, beside a horizon that believes as many frames.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lingbot_ros.checkpoints.trust import FARTHEST_PX, LEAST_TRUST, TrustSpec
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.statistics.probabilities import auroc
from lingbot_ros.tasks.pusht.dataset.episode import episode_seed
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, OUTLINE, to_pixels
from lingbot_ros.tasks.pusht.simulator.policies import draw_policy
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator
from lingbot_ros.world import World
from lingbot_ros.world.layer_session import LayerSession

RIGHT_PX = 1.0
"""A block is where it should be when its outline is no farther off than this, root mean square."""
FRAMES = 64
_CONTEXT = 4
_LEAD_STEPS = 24

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Doubts:
    """Of N rollouts of F frames: how far the block's outline was from the truth and what the session doubted, px."""

    errors_px: Floats
    doubts_px: Floats

    def first(self, count: int) -> "Doubts":
        return Doubts(self.errors_px[:count], self.doubts_px[:count])

    def rest(self, count: int) -> "Doubts":
        return Doubts(self.errors_px[count:], self.doubts_px[count:])


def calibrate_trust(world: World, rollouts: int, seed: int) -> TrustSpec:
    """Imagine `rollouts` of `seed` and say what trust they give. Raises InputError when too few of them came out right,
    and for a world whose sessions doubt nothing."""
    if rollouts < 2:
        raise InputError("rollouts", rollouts, "give at least 40: one half calibrates, the other one tests")
    doubts = measure_doubts(world, rollouts, seed)
    return trust_spec(doubts.first(rollouts // 2), doubts.rest(rollouts // 2))


def trust_spec(calibration: Doubts, test: Doubts) -> TrustSpec:
    """The trust that half of the rollouts give, with what the other half says of it."""
    right = np.asarray((calibration.errors_px <= RIGHT_PX).all(1))
    try:
        spec = TrustSpec(RIGHT_PX, calibration.errors_px.shape[1], _ascending(calibration.doubts_px[right, -1]))
    except ValueError as error:
        raise InputError("rollouts", len(right), f"give more ({error})") from error
    return replace(spec, measured=figures(spec, test))


def figures(spec: TrustSpec, test: Doubts) -> dict[str, float]:
    """What a trust is worth on rollouts that it was not calibrated on."""
    believed = np.vectorize(spec.of)(test.doubts_px) >= LEAST_TRUST
    wrong = test.errors_px > spec.right_px
    horizon = max(1, round(float(believed.sum(1).mean())))
    frames = np.broadcast_to(np.arange(wrong.shape[1]), wrong.shape)
    right = ~wrong.any(1)
    values = {
        "rollouts": len(wrong),
        "frames_wrong": wrong.mean(),
        "frames_believed": believed.mean(),
        "wrong_of_believed": wrong[believed].mean(),
        "wrong_of_as_many_first_frames": wrong[:, :horizon].mean(),
        "wrong_that_are_believed": (wrong & believed).sum() / max(wrong.sum(), 1),
        "right_rollouts_doubted": (~believed[right]).any(1).mean() if right.any() else 0.0,
        "auroc": auroc(test.doubts_px.ravel(), wrong.ravel()),
        "auroc_of_frame_index": auroc(frames.ravel(), wrong.ravel()),
    }
    return {name: round(float(value), 3) for name, value in values.items() if value is not None}


def measure_doubts(world: World, rollouts: int, seed: int) -> Doubts:
    """Real context, then imagined frames under the policies of the data set."""
    simulator, planner = PushTSimulator(), PushTSimulator()
    rows = [
        _rollout(world, simulator, planner, episode_seed("validation", seed, index))
        for index in tqdm(range(rollouts), unit="rollout")
    ]
    return Doubts(np.stack([row[0] for row in rows]), np.stack([row[1] for row in rows]))


def _rollout(world: World, simulator: PushTSimulator, planner: PushTSimulator, seed: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng([seed, 1])
    state = simulator.reset(seed)
    planner.reset(seed)
    _, policy = draw_policy(rng, planner)
    for _ in range(int(np.random.default_rng([seed, 3]).integers(_LEAD_STEPS + 1))):
        state = simulator.step(np.asarray(policy.target(state), np.float32))
    session = world.start(simulator.render(), seed=seed)
    if not isinstance(session, LayerSession):
        raise InputError("model", world.info.name, "only worlds of rigid layers doubt their frames")
    size, errors, doubts = world.info.height, np.empty(FRAMES), np.empty(FRAMES)
    for _ in range(_CONTEXT - 1):
        action = np.asarray(policy.target(state), np.float32)
        state = simulator.step(action)
        session.observe(simulator.render()[None], action[None])
    begun = _pose(session), _in_pixels(state.block, size)
    for frame in range(FRAMES):
        action = np.asarray(policy.target(state), np.float32)
        state = simulator.step(action)
        session.step(action[None])
        imagined = _follow(begun[1], begun[0], _pose(session))
        apart = _outline(imagined, size) - _outline(_in_pixels(state.block, size), size)
        errors[frame], doubts[frame] = np.sqrt((apart**2).sum(-1).mean()), session.doubt_px
    session.close()
    return errors, doubts


def _pose(session: LayerSession) -> Floats:
    return np.asarray(session.rollout_state.bodies.poses[0, -1].double().numpy())


def _in_pixels(block: Floats, size: int) -> Floats:
    return np.array([*to_pixels(block[:2], size), block[2]])


def _follow(thing: Floats, before: Floats, after: Floats) -> Floats:
    """Where a thing [3] is that moved with what went from one pose to another."""
    turn = after[2] - before[2]
    x, y = thing[:2] - before[:2]
    cosine, sine = np.cos(turn), np.sin(turn)
    return np.array([after[0] + cosine * x - sine * y, after[1] + sine * x + cosine * y, thing[2] + turn])


def _outline(pose: Floats, size: int) -> Floats:
    cosine, sine = np.cos(pose[2]), np.sin(pose[2])
    return np.asarray(OUTLINE @ np.array([[cosine, sine], [-sine, cosine]]) * (size / ARENA_SIZE) + pose[:2])


def _ascending(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), 3) for value in np.sort(values).clip(max=FARTHEST_PX))
