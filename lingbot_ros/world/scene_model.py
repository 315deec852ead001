"""A scene model in memory: a depth network and a renderer. It runs on the CPU, in float32."""

from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.checkpoints.files import ModelFiles
from lingbot_ros.checkpoints.state_check import check_state
from lingbot_ros.checkpoints.tensors import read_tensors
from lingbot_ros.engine.interface import EngineOptions
from lingbot_ros.engine.torch_engine import TorchEngine
from lingbot_ros.errors import InputError
from lingbot_ros.model.autoencoder import PixelAutoencoder
from lingbot_ros.model.scene.config import SceneConfig
from lingbot_ros.model.scene.depth_network import DepthNetwork
from lingbot_ros.model.scene.event_reader import EventReader
from lingbot_ros.model.scene.events import Event
from lingbot_ros.model.scene.keyframes import row_bytes
from lingbot_ros.world.load_options import LoadOptions
from lingbot_ros.world.loaded_model import LoadedModel
from lingbot_ros.world.network import Network
from lingbot_ros.world.world_info import WorldInfo

EVENTS = "events."
"""Before the names of the reader's tensors in the weights."""


class SceneModel(LoadedModel):
    """What all sessions of a scene model share. One thread owns it."""

    def __init__(self, card: ModelCard, files: ModelFiles, options: LoadOptions) -> None:
        """Reads the weights. Raises ModelError where they are not those of the card's network."""
        assert isinstance(card.architecture, SceneConfig)
        self.card, self.files, self.options, self.device = card, files, options, "cpu"
        self.config = card.architecture
        self.memory = None
        self.networks: list[Network] = []
        self.autoencoder = self.decoder = PixelAutoencoder("cpu")
        self.weights_digest = files.digest
        self.depth = DepthNetwork(self.config.widths).requires_grad_(False).eval()
        self._reader = EventReader().requires_grad_(False).eval() if self.config.events else None
        path = files.transformer[0]
        tensors = {name: tensor.float() for name, tensor in read_tensors(path)}
        reads = {name.removeprefix(EVENTS): tensors.pop(name) for name in list(tensors) if name.startswith(EVENTS)}
        for network, mine in ((self.depth, tensors), (self._reader, reads)):
            if network is not None:
                check_state(mine, network.state_dict(), card.name, path)
                network.load_state_dict(mine)
        self.engine = TorchEngine(EngineOptions("cpu", "f32", options.threads))
        parameters = sum(tensor.numel() for tensor in [*tensors.values(), *reads.values()])
        self.info = WorldInfo.of(
            card,
            options.fit,
            self.engine.info,
            parameters=parameters,
            weights_bytes=4 * parameters,
            session_bytes=self.config.keyframes * row_bytes(card.height, card.width),
            trust_definition=card.trust.definition if card.trust else "",
        )

    def read_event(self, prompt: str) -> Event:
        """What a prompt shows; nothing for an empty one. Raises InputError for a text that the model cannot read."""
        if not prompt:
            return Event()
        if self._reader is None:
            raise InputError("prompt", repr(prompt), f"{self.card.name} takes no text; leave the prompt empty")
        return self._reader.read(prompt)
