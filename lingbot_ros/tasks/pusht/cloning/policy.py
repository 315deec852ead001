"""The cloned policy as the evaluator plays it."""

from functools import lru_cache

import torch

from lingbot_ros.evaluate.policies.contract import Actions, Observation
from lingbot_ros.tasks.pusht.cloning.network import CHUNK, CloneNet
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE
from lingbot_ros.tasks.pusht.heads.files import load_head
from lingbot_ros.tasks.pusht.heads.networks import SIZE, to_images

SHIPPED = "pusht-cloned"


class ClonedPolicy:
    """Sends the likeliest chunk for each image. It remembers nothing and draws no numbers."""

    def __init__(self, network: CloneNet) -> None:
        self._network = network

    def reset(self, seed: int) -> None:
        """There is nothing to forget."""

    def act(self, observation: Observation) -> Actions:
        with torch.inference_mode():
            actions = self._network(to_images(observation.image[None], "image", (SIZE, SIZE, 3))).likeliest()
        found: Actions = to_units(actions)[0].double().numpy()
        return found


def make_policy(head: str = SHIPPED) -> ClonedPolicy:
    """The policy of a head folder or of a name in models/. Raises ModelError for one that cannot be loaded."""
    return ClonedPolicy(_network(head))


def to_units(actions: torch.Tensor) -> torch.Tensor:
    """[B, CHUNK * 2] in -1..1 -> [B, CHUNK, 2] simulator units."""
    return (actions.unflatten(-1, (CHUNK, 2)) + 1) * (ARENA_SIZE / 2)


def from_units(actions: torch.Tensor) -> torch.Tensor:
    """[B, CHUNK, 2] simulator units -> [B, CHUNK * 2] in -1..1."""
    return actions.flatten(-2) / (ARENA_SIZE / 2) - 1


@lru_cache(maxsize=4)
def _network(head: str) -> CloneNet:
    """Shared by all rows, which do not change it."""
    network = CloneNet()
    load_head(head, "policy", network)
    return network
