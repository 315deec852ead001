"""What a task is: all that a data set, a simulator and a scene know, behind one face.

A task is a class that derives from `Task`, in this package or in a user's own. It overrides what it has; what it does
not override says in one sentence that it is not there. Help must be instant, so the module of a task imports at its top
only the standard library, `lingbot_ros.errors` and this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lingbot_ros.errors import InputError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from lingbot_ros.checkpoints.trust import TrustSpec
    from lingbot_ros.evaluate.evaluation import Evaluation, EvaluationOptions
    from lingbot_ros.evaluate.policy_task import PolicyTask
    from lingbot_ros.evaluate.reality.episodes import Episode
    from lingbot_ros.evaluate.value import ValueEstimator
    from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
    from lingbot_ros.model.rigid_layers.constants import Constants
    from lingbot_ros.planning.experiment import Experiment, OnTrial, PlanOptions
    from lingbot_ros.planning.goal import Goal, GoalRequest
    from lingbot_ros.tasks.policy import Policy
    from lingbot_ros.training.config import TrainConfig
    from lingbot_ros.training.scene.views import ViewSource
    from lingbot_ros.training.training_data import TrainingData
    from lingbot_ros.world import World


@dataclass(frozen=True)
class Command:
    """A sub-command that a task adds to a verb. `run` gets the parsed arguments and returns the exit code."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    description: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Environment:
    """A Gymnasium environment: its id, and `module:Class` of the single and the vector environment."""

    id: str
    entry_point: str
    vector_entry_point: str | None = None


@dataclass(frozen=True)
class Package:
    """A Python package that a task needs: import name, name in the package index, what it is for."""

    module: str
    distribution: str
    purpose: str


@dataclass(frozen=True)
class FirstImage:
    """An image to start from, uint8 [H, W, 3] RGB, and where it comes from, for people."""

    image: NDArray[np.uint8]
    origin: str


class Task(Protocol):
    """See the module. `name` is what cards and data sets call it, `title` what people do."""

    name: str
    title: str
    packages: Sequence[Package] = ()
    environments: Sequence[Environment] = ()
    dataset_command: Command | None = None
    """Of `lingbot dataset`; makes a data set whose `dataset.json` names the task."""
    head_commands: Sequence[Command] = ()
    """Of `lingbot train-head`; train and measure small networks that read images of the task."""

    def first_image(self, seed: int) -> FirstImage | None:
        """The first image of the simulated scene of `seed`; None: the model's own example."""
        return None

    def demo_policy(self, seed: int) -> Policy | None:
        """What plays the task by itself, seeing only images; None: nothing does."""
        return None

    def training_data(self, folder: Path, config: TrainConfig, validation: Path | None) -> TrainingData:
        """The data set in `folder` for training, with the metrics that a model is validated on meanwhile.

        validation: another data set to validate on. Raises InputError for what is not usable.
        """
        raise InputError("--data", folder, f"the task {self.name} has no data sets to train on")

    def layer_constants(self, folder: Path, config: RigidLayersConfig) -> Constants:
        """The constants of a world of rigid layers, fitted to the data set in `folder`. Raises InputError."""
        raise InputError("--config", "rigid_layers", f"the task {self.name} fits no rigid layers; train a network")

    def scene_views(self, folder: Path) -> ViewSource:
        """Views with depth of the data set in `folder`, to train a scene model on. Raises InputError."""
        raise InputError("--data", folder, f"the task {self.name} has no views with depth")

    def evaluate(self, world: World, options: EvaluationOptions) -> Evaluation:
        """Measure a model on what no training saw, against the task's minimum and target figures. Raises InputError."""
        raise InputError("model", world.info.name, f"the task {self.name} has no evaluation; give --data DIR")

    def calibrate_trust(self, world: World, rollouts: int, seed: int) -> TrustSpec:
        """What the doubts of a world's sessions say, measured on held-out rollouts. Raises InputError."""
        raise InputError("model", world.info.name, f"the task {self.name} calibrates no trust")

    def policies(self) -> PolicyTask:
        """What policies of the task are evaluated with. Raises InputError where nothing is."""
        raise InputError("model", self.name, f"the task {self.name} has no evaluation of policies")

    def plan_trials(self, world: World, options: PlanOptions, on_trial: OnTrial) -> Experiment:
        """Plan with the world and act in the task's simulator, goal by goal. Raises InputError where it has none."""
        raise InputError("--env", self.name, f"the task {self.name} has no planning trials")

    def goal(self, world: World, request: GoalRequest) -> Goal:
        """Read a goal for a planner. By default: an image that the last imagined one shall look like. Raises InputError
        for a goal, a cost or a model that the task does not plan with.
        """
        from lingbot_ros.planning.image_goal import read_image_goal  # noqa: PLC0415 - see the module

        return read_image_goal(world, request)

    def episodes(self, folder: Path) -> Sequence[Episode]:
        """The recordings of the data set in `folder`, to compare a model with. Raises InputError."""
        raise InputError("--against", folder, f"the task {self.name} reads no recordings; give a bag or clips")

    def normal_episodes(self, folder: Path) -> Sequence[Episode]:
        """Those of `episodes` in which nothing happens that no robot would do, to learn what is normal from."""
        return self.episodes(folder)

    def value_estimator(self) -> ValueEstimator | None:
        """What estimates the value of an image; None: nothing does."""
        return None


def add_command(commands: Any, command: Command) -> None:
    """Declare a task's command among argparse's sub-commands `commands`; parsing sets `run_command`."""
    parser: argparse.ArgumentParser = commands.add_parser(
        command.name, help=command.help, description=command.description, aliases=command.aliases
    )
    command.add_arguments(parser)
    parser.set_defaults(run_command=command.run)
