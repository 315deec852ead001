"""How a head fares on imagined pictures, which are what it is for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.open_loop import imagine
from lingbot_ros.heads.files import CARD_FILE, find_head
from lingbot_ros.heads.inverse import InverseDynamics
from lingbot_ros.heads.outcome import SUCCESS_COVERAGE, OutcomeHead
from lingbot_ros.simulators.pusht import PushTSimulator
from lingbot_ros.training.export import update_card
from lingbot_ros.training.heads.inverse import inverse_figures
from lingbot_ros.training.heads.outcome import outcome_figures
from lingbot_ros.training.heads.outcome_data import near_goal_state
from lingbot_ros.world.world import World

_CONTEXT = 4


@dataclass(frozen=True)
class Futures:
    """N futures of H frames near the goal. imagined uint8 [N, 1 + H, 96, 96, 3], the first being the last real one.

    actions float32 [N, H, 2]; pusher float64 [N, H, 2] and coverage float32 [N, H] are the simulator's.
    """

    imagined: NDArray[np.uint8]
    actions: NDArray[np.float32]
    pusher: NDArray[np.float64]
    coverage: NDArray[np.float32]


def judge_imagined(name: str, world: World, episodes: int, seed: int, command: str) -> dict[str, Any]:
    """Measure a head on `world`'s imagination up to its trusted horizon, and quote it in the head's card.

    Raises InputError when there is nothing to measure on, ModelError for an unknown head.
    """
    if episodes < 1:
        raise InputError("--episodes", episodes, "give 1 or more")
    folder, horizon = find_head(name), world.info.max_horizon
    if horizon is None or horizon < 2:
        raise InputError("model", world.info.name, "its card must name a max_horizon of 2 or more")
    card = yaml.safe_load((folder / CARD_FILE).read_text())
    futures = imagine_near_goal(world, episodes, horizon, seed)
    figures = _outcome(folder, futures) if card["kind"] == "outcome" else _inverse(folder, futures)
    about = {"command": command, "model_sha256": world.files.digest, "horizon": horizon}
    update_card(folder / CARD_FILE, {"quality": card["quality"] | {"imagined_frames": about | figures}})
    return figures


def imagine_near_goal(world: World, episodes: int, horizon: int, seed: int) -> Futures:
    """Push about near the goal, in the simulator and from the same start in imagination."""
    rng, simulator = np.random.default_rng([seed, 11]), PushTSimulator()
    imagined, actions, pusher, coverage = [], [], [], []
    for n in range(episodes):
        simulator.set_state(near_goal_state(rng))
        frames, targets, states, covers = [simulator.render()], [], [simulator.state], []
        aim = simulator.state.pusher
        for _ in range(_CONTEXT - 1 + horizon):
            wanted = states[-1].block[:2] + rng.normal(size=2) * 60
            aim = np.clip(aim + 0.25 * (wanted - aim), 0, 512).astype(np.float32)
            states.append(simulator.step(aim))
            targets.append(aim)
            frames.append(simulator.render())
            covers.append(simulator.coverage())
        past, acted = np.stack(frames[:_CONTEXT]), np.array(targets, np.float32)
        future = imagine(world, past, acted[: _CONTEXT - 1], acted[_CONTEXT - 1 :], seed=n).frames
        imagined.append(np.concatenate([past[-1:], future]))
        actions.append(acted[_CONTEXT - 1 :])
        pusher.append([state.pusher for state in states[_CONTEXT:]])
        coverage.append(covers[_CONTEXT - 1 :])
    return Futures(np.stack(imagined), np.stack(actions), np.array(pusher), np.array(coverage, np.float32))


def _outcome(folder: Path, futures: Futures) -> dict[str, Any]:
    coverage = futures.coverage.reshape(-1)
    outcome = OutcomeHead(folder)(futures.imagined[:, 1:].reshape(-1, *futures.imagined.shape[2:]))
    return outcome_figures(outcome.success, outcome.coverage, coverage, coverage > SUCCESS_COVERAGE)


def _inverse(folder: Path, futures: Futures) -> dict[str, Any]:
    triples = np.stack([futures.imagined[:, k : k + 3] for k in range(futures.imagined.shape[1] - 2)], axis=1)
    read, spread = InverseDynamics(folder)(triples.reshape(-1, *triples.shape[2:]))
    true, held = futures.actions[:, 1:].reshape(-1, 2), futures.pusher[:, 1:].reshape(-1, 2)
    within = np.mean(np.abs(read - true) <= 1.645 * spread)
    return inverse_figures(read - true, held - true) | {"inside_90_percent_interval": round(float(within), 3)}
