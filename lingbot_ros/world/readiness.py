"""Whether a model can be loaded here, checked before anything large is read."""

from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.checkpoints.files import ModelFiles, locate
from lingbot_ros.checkpoints.hub import HubWeights
from lingbot_ros.errors import ModelError
from lingbot_ros.world.load_options import LoadOptions
from lingbot_ros.world.memory_plan import MemoryPlan, missing_weights, require_memory


def ready_files(card: ModelCard, options: LoadOptions) -> tuple[ModelFiles, MemoryPlan | None]:
    """A model's files, and its memory plan where they are downloaded ones; `options` are resolved.

    Raises ModelError that says what to download, how large that is and whether it would fit; ResourceError when the
    weights are here and do not fit.
    """
    if not isinstance(card.weights, HubWeights):
        return locate(card), None
    try:
        files = locate(card)
    except ModelError as error:
        raise missing_weights(card, options, error) from error
    return files, require_memory(card, options)
