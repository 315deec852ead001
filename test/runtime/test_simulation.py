"""A simulation that is quitting, on a worker with a real tiny world."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import LingbotError
from lingbot_ros.runtime.enums import Mode
from lingbot_ros.runtime.records import StartRequest
from lingbot_ros.runtime.scene import Scene
from lingbot_ros.runtime.served_world import ServedWorld
from lingbot_ros.runtime.simulation import Simulation, SimulationState, StateError
from lingbot_ros.runtime.worker import WorkerEvents, WorldWorker
from lingbot_ros.world import WorldInfo
from test.support.tiny_model import write_tiny_model
from test.support.worker import worker_settings

PATIENCE_S = 60.0
IMAGE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[WorldWorker, WorldInfo]]:
    settings = worker_settings(write_tiny_model(tmp_path), tmp_path)
    worker = WorldWorker(settings, WorkerEvents(lambda record: None, lambda error: None, lambda view: None))
    info = worker.load(PATIENCE_S, abandoned=lambda: False).info
    worker.submit(lambda served: served.play(True, LingbotError(""))).result(PATIENCE_S)
    yield worker, info
    worker.stop(PATIENCE_S)


def test_nothing_ends_quitting(running: tuple[WorldWorker, WorldInfo]) -> None:
    worker, info = running
    world = Scene("w", "tiny", "", "", image=IMAGE, control=np.array([10.0, 10.0]))

    def request_of(file: Scene) -> StartRequest:
        assert file.image is not None
        return StartRequest(0, file.image)

    def call(command: Callable[[ServedWorld], object]) -> object:
        return worker.submit(command).result(PATIENCE_S)

    simulation = Simulation(info, Mode.LOCKSTEP, request_of)
    call(lambda served: simulation.load(served, world))
    call(lambda served: simulation.set_state(served, SimulationState.PAUSED))
    call(lambda served: simulation.set_state(served, SimulationState.QUITTING))
    leaving: tuple[Callable[[ServedWorld], object], ...] = (
        *(lambda served, state=state: simulation.set_state(served, state) for state in SimulationState),
        lambda served: simulation.load(served, world),
        simulation.unload,
        lambda served: simulation.reset(served, of_time=True, of_state=True),
        lambda served: simulation.begin_step(served, lambda: False),
    )
    for command in leaving:
        with pytest.raises(StateError, match="QUITTING"):
            call(command)
        assert simulation.state is SimulationState.QUITTING
