"""A scene model in memory: a depth network and a renderer. It runs on the CPU, in float32."""

from safetensors.torch import load_file

from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.checkpoints.files import ModelFiles
from lingbot_ros.engine.interface import EngineOptions
from lingbot_ros.engine.torch_engine import TorchEngine
from lingbot_ros.errors import ErrorCode, ModelError
from lingbot_ros.model.autoencoder import PixelAutoencoder
from lingbot_ros.model.scene.config import SceneConfig
from lingbot_ros.model.scene.depth_network import DepthNetwork
from lingbot_ros.model.scene.keyframes import row_bytes
from lingbot_ros.world.load_options import LoadOptions
from lingbot_ros.world.loaded_model import LoadedModel
from lingbot_ros.world.network import Network
from lingbot_ros.world.world_info import WorldInfo


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
        try:
            self.depth.load_state_dict(
                {name: tensor.float() for name, tensor in load_file(files.transformer[0]).items()}
            )
        except RuntimeError as error:
            raise ModelError(
                f"{card.name}: its weights do not fit its card ({error})", ErrorCode.BAD_WEIGHTS
            ) from error
        self.engine = TorchEngine(EngineOptions("cpu", "f32", options.threads))
        parameters = sum(tensor.numel() for tensor in self.depth.parameters())
        self.info = WorldInfo(
            name=card.name,
            family=card.family,
            licence=card.licence,
            control=card.control,
            height=card.height,
            width=card.width,
            fps=card.fps,
            frames_per_chunk=1,
            first_chunk_frames=1,
            max_horizon=card.max_horizon,
            engine=self.engine.info,
            parameters=parameters,
            weights_bytes=4 * parameters,
            session_bytes=self.config.keyframes * row_bytes(card.height, card.width),
            fit=options.fit,
            trust_definition=card.trust.definition if card.trust else "",
        )
