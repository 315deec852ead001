"""The parts of Push-T that an evaluation of policies uses, in one place."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import Actions, Start, StateReader
from lingbot_ros.evaluate.results.files import save_json
from lingbot_ros.shared_files import find_shared
from lingbot_ros.tasks.pusht.evaluation.coverage import coverage_of
from lingbot_ros.tasks.pusht.evaluation.scorer import FittedPose
from lingbot_ros.tasks.pusht.evaluation.starts import make_starts, start_of
from lingbot_ros.tasks.pusht.evaluation.stepper import PushTStepper
from lingbot_ros.tasks.pusht.image_reader import pusher_position
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState

_SCHEMA = "lingbot.pusht_starts/1"


class PushTPolicies:
    """Success is coverage 0.90: 0.95, as gym-pusht has it, is 0.4 pixels, which no small model keeps."""

    name = "pusht"
    packages = ("gym-pusht", "pymunk", "pygame", "shapely")
    threshold = 0.90
    thresholds = (0.85, 0.90, 0.95)
    horizons = (24, 48)
    success_in_words = "In one of the images the grey T covers the green T-shaped area nearly completely."
    how_starts_are_drawn = (
        "states 8 to 24 steps before an expert's success that cover less than 0.80 of the goal, pusher at rest and "
        "clear of the block, from seeds that no training has"
    )

    def __init__(self) -> None:
        self.scorer = FittedPose()
        self.policies_file = find_shared("config", "policies", "pusht.yaml")

    def starts(self, count: int, seed: int, folder: Path) -> Iterator[Start]:
        path, simulator = folder / "starts.json", PushTSimulator()
        stored = _read(path, seed)
        if len(stored) >= count:
            for name, pusher, block in stored[:count]:
                yield start_of(name, PushTState(np.array(pusher), np.zeros(2), np.array(block)), simulator)
            return
        made = []
        for start in make_starts(count, seed):
            made.append((start.id, start.state.pusher.tolist(), start.state.block.tolist()))
            yield start
        save_json(path, {"schema": _SCHEMA, "seed": seed, "starts": made})

    def reference(self, rows: int) -> PushTStepper:
        return PushTStepper(rows)

    def rest(self, start: Start) -> Actions:
        return np.array(start.state.pusher, np.float64)

    @property
    def robot_state(self) -> StateReader:
        return pusher_position

    def true_scores(self, start: Start, actions: Sequence[Sequence[float]]) -> list[float]:
        simulator = PushTSimulator(counts_contacts=False)
        simulator.set_state(start.state)
        return [coverage_of(simulator.advance((x, y))) for x, y in actions]


def _read(path: Path, seed: int) -> list[tuple[str, list[float], list[float]]]:
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != _SCHEMA or content["seed"] != seed:
            return []
        return [(str(name), pusher, block) for name, pusher, block in content["starts"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("starts", path, f"it is damaged ({error}); remove it") from error
