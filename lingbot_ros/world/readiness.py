"""Whether a model can be loaded here, told before anything large is read."""

from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.checkpoints.hub import HubWeights
from lingbot_ros.errors import ModelError
from lingbot_ros.world.memory_plan import Choices, MemoryPlan, missing_weights, require_memory


def require_ready(card: ModelCard, precision: str, device: str, choices: Choices | None = None) -> MemoryPlan | None:
    """The memory plan of a model whose weights are downloaded; None for one that comes with its card.

    Raises ModelError that says what to download, how large that is and whether it would fit; ResourceError when the
    weights are here and do not fit.
    """
    if not isinstance(card.weights, HubWeights):
        return None
    try:
        card.files()
    except ModelError as error:
        raise missing_weights(card, precision, device, error) from error
    return require_memory(card, precision, device, choices)
