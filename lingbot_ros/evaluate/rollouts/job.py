"""What an evaluation is to play, and in which place."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import RowPolicies, Start, StateReader
from lingbot_ros.evaluate.seeds import derived_seed


@dataclass(frozen=True)
class Job:
    """Every policy from every start, `horizon` frames each.

    seed: all randomness of an evaluation. Policy seeds depend on it, on the policy's name and on the start, not on the
    arm, so that both arms can be paired. stop_at: end a rollout once its score is that high; None plays all of it.
    read_state: what policies may ask for the robot's state, which is read off images.
    settings: what else must be equal for results to be continued, in JSON's types: model, weights, engine.
    """

    arm: str
    policies: Sequence[RowPolicies]
    starts: Sequence[Start]
    horizon: int
    seed: int = 0
    stop_at: float | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    read_state: StateReader | None = None

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise InputError("horizon", self.horizon, "give 1 frame or more")
        for what, names in (("policies", [p.name for p in self.policies]), ("starts", [s.id for s in self.starts])):
            if not names:
                raise InputError(what, "none", "give one or more")
            if len(set(names)) < len(names):
                raise InputError(what, "one name twice", "give every one a name of its own")

    @property
    def rollouts(self) -> int:
        """How many rollouts the job has."""
        return len(self.policies) * len(self.starts)

    def seed_of(self, policy: str, start: Start) -> int:
        """The seed of one policy at one start."""
        return derived_seed(self.seed, f"{policy}\0{start.id}")

    def waves(self, rows: int) -> list[list[tuple[RowPolicies, Start]]]:
        """The rollouts in groups that are played together; the place in a group is the row.

        No two in a group have the same `alone_on`, which is what a policy may use for one rollout at a time only.
        """
        groups: list[list[tuple[RowPolicies, Start]]] = []
        for policy in self.policies:
            alone_on = getattr(policy, "alone_on", None)
            for start in self.starts:
                group = groups[-1] if groups else []
                taken = alone_on is not None and any(getattr(one, "alone_on", None) is alone_on for one, _ in group)
                if not groups or len(group) == rows or taken:
                    groups.append([])
                groups[-1].append((policy, start))
        return groups

    def fingerprint(self, scorer: str, rows: int) -> dict[str, Any]:
        """What must be equal for results on disk to be continued, in JSON's types."""
        pictures = hashlib.sha256()
        for start in self.starts:
            pictures.update(json.dumps([start.id, start.instruction, list(start.image.shape)]).encode())
            pictures.update(start.image.tobytes())
        return {
            "arm": self.arm,
            "policies": [policy.name for policy in self.policies],
            "starts": pictures.hexdigest(),
            "horizon": self.horizon,
            "seed": self.seed,
            "stop_at": self.stop_at,
            "scorer": scorer,
            "rows": rows,
            "settings": self.settings,
        }
