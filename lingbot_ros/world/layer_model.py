"""A world of rigid layers in memory: constants instead of networks. It runs on the CPU, in float32."""

from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.checkpoints.files import ModelFiles
from lingbot_ros.checkpoints.state_check import check_state
from lingbot_ros.checkpoints.tensors import read_tensors
from lingbot_ros.engine.interface import EngineOptions
from lingbot_ros.engine.torch_engine import TorchEngine
from lingbot_ros.model.autoencoder import PixelAutoencoder
from lingbot_ros.model.rigid_layers.capture import Capture
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.rigid_layers.constants import Constants
from lingbot_ros.model.rigid_layers.state import LayerState
from lingbot_ros.world.load_options import LoadOptions
from lingbot_ros.world.loaded_model import LoadedModel
from lingbot_ros.world.network import Network
from lingbot_ros.world.world_info import WorldInfo


class LayerModel(LoadedModel):
    """What all sessions of a world of rigid layers share. One thread owns it."""

    def __init__(self, card: ModelCard, files: ModelFiles, options: LoadOptions) -> None:
        """Reads the constants. Raises ModelError, or EngineError for a device or precision that layers do not have."""
        assert isinstance(card.architecture, RigidLayersConfig)
        self.card, self.files, self.options, self.device = card, files, options, "cpu"
        self.memory = None
        self.networks: list[Network] = []
        self.autoencoder = self.decoder = PixelAutoencoder("cpu")
        self.weights_digest = files.digest
        path, constants = files.transformer[0], Constants(card.architecture, card.height, card.width)
        tensors = dict(read_tensors(path))
        check_state(tensors, constants.state_dict(), card.name, path)
        self.constants = constants.fill(tensors)
        self.constants.contact.prepare()
        self.capture = Capture(self.constants)
        self.engine = TorchEngine(EngineOptions("cpu", "f32", options.threads))
        state = LayerState.empty(card.architecture, card.height, card.width)
        self.info = WorldInfo.of(
            card,
            options.fit,
            self.engine.info,
            parameters=sum(tensor.numel() for tensor in self.constants.state_dict().values()),
            weights_bytes=sum(t.numel() * t.element_size() for t in self.constants.state_dict().values()),
            session_bytes=sum(t.numel() * t.element_size() for t in state.tensors().values()),
            trust_definition=card.trust.definition if card.trust else "",
        )
