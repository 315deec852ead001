"""From load options to a model in memory, whatever kind of model the card describes."""

from dataclasses import replace

from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.checkpoints.files import locate
from lingbot_ros.errors import EngineError
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.scene.config import SceneConfig
from lingbot_ros.world.adapted_card import adapted_card
from lingbot_ros.world.layer_model import LayerModel
from lingbot_ros.world.load_options import LoadOptions
from lingbot_ros.world.loaded_model import LoadedModel
from lingbot_ros.world.memory_plan import require_memory
from lingbot_ros.world.scene_model import SceneModel


def load_model(options: LoadOptions) -> LoadedModel:
    """The model that a card describes: of networks, of rigid layers, or a scene; raises what `World.load` raises."""
    card = adapted_card(find_card(options.name), options)
    is_layers = isinstance(card.architecture, RigidLayersConfig)
    if not is_layers and not isinstance(card.architecture, SceneConfig):
        return LoadedModel.load(options)
    options = _plain_options(options, "world of rigid layers" if is_layers else "scene")
    require_memory(card, options)
    return (LayerModel if is_layers else SceneModel)(card, locate(card), options)


def _plain_options(options: LoadOptions, kind: str) -> LoadOptions:
    """With the one device and precision that such a model has; raises EngineError for others."""
    has = {"engine": ("auto", "torch"), "device": ("auto", "cpu"), "precision": ("auto", "f32")}
    for name, known in has.items():
        value = getattr(options, name)
        if value not in known:
            raise EngineError(f"{name}: got {value!r}; a {kind} takes {' or '.join(known)}")
    return replace(options, engine="torch", device="cpu", precision="f32")
