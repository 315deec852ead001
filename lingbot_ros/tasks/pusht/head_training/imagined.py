"""How a head fares on imagined images, which are what it is for."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from lingbot_ros.errors import InputError
from lingbot_ros.tasks.pusht.head_training.futures import Futures, imagine_near_goal
from lingbot_ros.tasks.pusht.head_training.inverse import inverse_figures
from lingbot_ros.tasks.pusht.head_training.outcome import outcome_figures
from lingbot_ros.tasks.pusht.heads.files import CARD_FILE, find_head
from lingbot_ros.tasks.pusht.heads.inverse import InverseDynamics
from lingbot_ros.tasks.pusht.heads.outcome import SUCCESS_COVERAGE, OutcomeHead
from lingbot_ros.training.export import update_card
from lingbot_ros.world.world import World


def measure_imagined(name: str, world: World, episodes: int, seed: int, command: str) -> dict[str, Any]:
    """Measure a head on `world`'s imagination up to its trusted horizon, and quote it in the head's card.

    Raises InputError when there is nothing to measure on, ModelError for an unknown head.
    """
    if episodes < 1:
        raise InputError("--episodes", episodes, "give 1 or more")
    folder = find_head(name)
    card = yaml.safe_load((folder / CARD_FILE).read_text(encoding="utf-8"))
    futures = imagine_near_goal(world, episodes, seed)
    figures = _outcome(folder, futures) if card["kind"] == "outcome" else _inverse(folder, futures)
    about = {"command": command, "model_sha256": world.model.files.digest, "horizon": world.info.max_horizon}
    update_card(folder / CARD_FILE, {"quality": card["quality"] | {"imagined_frames": about | figures}})
    return figures


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
