"""Push-T as a task: where each of its parts is. Everything is imported when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lingbot_ros.tasks.pusht.commands import DATASET, HEADS
from lingbot_ros.tasks.task import Environment, FirstImage, Package, Task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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
    from lingbot_ros.training.training_data import TrainingData
    from lingbot_ros.world import World


class PushT(Task):
    """A round pusher moves a T-shaped block; ground truth is gym-pusht."""

    name = "pusht"
    title = "Push-T"
    packages = (Package("gym_pusht", "gym-pusht", "the Push-T simulator"),)
    environments = (
        Environment(
            "lingbot/PushT-v0",
            "lingbot_ros.tasks.pusht.env.single:ImaginedPushT",
            "lingbot_ros.tasks.pusht.env.vector:ImaginedPushTVector",
        ),
    )
    dataset_command = DATASET
    head_commands = HEADS

    def first_image(self, seed: int) -> FirstImage | None:
        from lingbot_ros.tasks.pusht.simulator.simulator import reset_frame

        return FirstImage(reset_frame(seed), f"gym-pusht, seed {seed}")

    def demo_policy(self, seed: int) -> Policy | None:
        import numpy as np

        from lingbot_ros.tasks.pusht.pilot import PushTPilot

        return PushTPilot(np.random.default_rng(seed))

    def training_data(self, folder: Path, config: TrainConfig, validation: Path | None) -> TrainingData:
        from lingbot_ros.tasks.pusht.training_data import pusht_training_data

        return pusht_training_data(folder, config, validation)

    def layer_constants(self, folder: Path, config: RigidLayersConfig) -> Constants:
        from lingbot_ros.tasks.pusht.dataset.reader import PushTDataset
        from lingbot_ros.tasks.pusht.layer_learning import learn_constants

        return learn_constants(PushTDataset(folder), config)

    def evaluate(self, world: World, options: EvaluationOptions) -> Evaluation:
        from lingbot_ros.tasks.pusht.report.evaluation import evaluate

        return evaluate(
            world,
            options.episodes,
            options.seed,
            options.context,
            options.horizon,
            other=options.other,
            load=options.load,
            quiet=options.quiet,
        )

    def plan_trials(self, world: World, options: PlanOptions, on_trial: OnTrial) -> Experiment:
        """See `Task`."""
        from lingbot_ros.tasks.pusht.planning.experiment import plan_trials

        return plan_trials(world, options, on_trial)

    def goal(self, world: World, request: GoalRequest) -> Goal:
        """See `Task`."""
        from lingbot_ros.tasks.pusht.planning.goal import read_goal

        return read_goal(world, request)

    def calibrate_trust(self, world: World, rollouts: int, seed: int) -> TrustSpec:
        from lingbot_ros.tasks.pusht.report.trust_calibration import calibrate_trust

        return calibrate_trust(world, rollouts, seed)

    def policies(self) -> PolicyTask:
        from lingbot_ros.tasks.pusht.evaluation.task import PushTPolicies

        return PushTPolicies()

    def normal_episodes(self, folder: Path) -> Sequence[Episode]:
        """Without the policy that puts the pusher anywhere from one frame to the next."""
        from lingbot_ros.tasks.pusht.dataset.reader import PushTDataset
        from lingbot_ros.tasks.pusht.simulator.policies import POLICY_NAMES

        jumps = PushTDataset(folder).policy == POLICY_NAMES.index("jumps")
        return [episode for episode, leaps in zip(self.episodes(folder), jumps, strict=True) if not leaps]

    def episodes(self, folder: Path) -> Sequence[Episode]:
        from lingbot_ros.evaluate.reality.episodes import Episode
        from lingbot_ros.tasks.pusht.dataset.reader import PushTDataset

        dataset = PushTDataset(folder)
        return [
            Episode(f"episode {number}", dataset.frames(number), dataset.actions[number].astype(float))
            for number in range(len(dataset))
        ]

    def value_estimator(self) -> ValueEstimator:
        from lingbot_ros.tasks.pusht.evaluation.value import CoverageValue

        return CoverageValue()
