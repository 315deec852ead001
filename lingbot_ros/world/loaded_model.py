"""A model in memory, ready to run: what all sessions of it share."""

import logging
from collections.abc import Sequence

from lingbot_ros.checkpoints.cards import ModelCard, find_card
from lingbot_ros.checkpoints.files import ModelFiles
from lingbot_ros.engine.graph_decoder import GraphDecoder
from lingbot_ros.engine.graphs import TIME_GRAPH
from lingbot_ros.engine.interface import Engine, EngineOptions
from lingbot_ros.engine.precision import PRECISIONS
from lingbot_ros.engine.processes import current_share, shared_engine
from lingbot_ros.engine.registry import check_engine, new_engine
from lingbot_ros.engine.torch_engine import TorchEngine
from lingbot_ros.model.autoencoder import Decoder, state_bytes
from lingbot_ros.model.ring import Ring
from lingbot_ros.model.unipc import UniPCConfig
from lingbot_ros.model_options import GRAPH_OPTIONS, MODEL_OPTIONS, option_words
from lingbot_ros.world import assembly
from lingbot_ros.world.adapted_card import adapted_card, memory_of
from lingbot_ros.world.branch import Branch
from lingbot_ros.world.engine_choice import choose_engine
from lingbot_ros.world.experts import Experts
from lingbot_ros.world.exported_graphs import decoder_graphs
from lingbot_ros.world.given_noise import GivenNoise
from lingbot_ros.world.load_options import LoadOptions
from lingbot_ros.world.memory_plan import frame_bytes
from lingbot_ros.world.network import Network, checkpoint_digest
from lingbot_ros.world.readiness import ready_files
from lingbot_ros.world.world_info import WorldInfo

_LOG = logging.getLogger(__name__)


class LoadedModel:
    """Card, networks, sampler, autoencoder, decoder, text encoder; digests of the weights. One thread owns it."""

    @classmethod
    def load(cls, options: LoadOptions) -> "LoadedModel":
        """From options to weights; raises what `World.load` raises."""
        check_engine(options.engine)
        card = adapted_card(find_card(options.name), options)
        options = options.resolved()
        files, plan = ready_files(card, options)
        if plan is not None:
            _LOG.info("%s", plan.text())
        return cls(card, files, options)

    def __init__(self, card: ModelCard, files: ModelFiles, options: LoadOptions, engine: Engine | None = None) -> None:
        """Reads the weights. `card` is adapted to `options`, which are resolved. Raises ModelError or EngineError.

        `engine` takes the place of the one that the options name.
        """
        self.card, self.files, self.options, self.device = card, files, options, options.device
        self.memory = memory_of(card, options)
        self.ring = Ring(card.stream.chunk, card.stream.window, card.stream.sink)
        share = current_share()
        self.engine = engine or _engine_of(card, files, options)
        shape = assembly.graph_shape(card, self.engine.dtype, share)
        checkpoints = [files.transformer, *([files.low_noise] if files.low_noise else [])]
        self.networks = [
            Network(
                checkpoint,
                shape,
                self.engine,
                self.device,
                offloaded=options.offload_expert and index > 0,
                digest=checkpoint_digest(files.digest, index),
                share=share,
            )
            for index, checkpoint in enumerate(checkpoints)
        ]
        self.experts = Experts(self.networks, self.device, options.offload_expert)
        self.sampler = assembly.new_sampler(card)
        self.noise: GivenNoise | None = None
        if options.noise is not None:
            latent = shape.latent_shape(card.transformer.latent_channels)[1:]
            self.noise = GivenNoise(options.noise, latent, self.sampler.config.draws)
        self.autoencoder = assembly.load_autoencoder(card, files, self.device)
        decoder, decoder_digest = assembly.choose_decoder(self.autoencoder, options.light_decoder, self.device)
        self.weights_digest = files.digest + decoder_digest
        self._decoder_bytes = state_bytes(decoder, card.transformer.latent_channels, card.height, card.width)
        self.decoder = self._on_engine(decoder)
        text_dtype = PRECISIONS["f32" if options.precision == "f32" else "bf16"]
        self._text = assembly.load_text(card, files, options.text_device, text_dtype)
        self.info = WorldInfo.of(
            card,
            options.fit,
            self.engine.info,
            frames_per_chunk=self.autoencoder.frames_of_chunk(card.stream.chunk, 1),
            first_chunk_frames=self.autoencoder.frames_of_chunk(card.stream.chunk, 0),
            parameters=sum(network.parameters for network in self.networks),
            weights_bytes=sum(network.weights_bytes for network in self.networks),
            session_bytes=self._session_bytes(),
        )
        self._tell_parts()

    def new_branches(self, network: Network) -> list[Branch]:
        """A session's branches of one network: under its prompt, and with guidance under the negative one."""
        shared = network.allocate_shared()
        return [Branch(network, self.ring, shared | network.allocate_own()) for _ in range(self._branch_count)]

    def read_prompt(self, prompt: str, branches: Sequence[Branch]) -> None:
        """Give a session's branches of one network their texts; models without text have nothing to read."""
        if self._text is None:
            return
        sampler = self.card.sampler
        texts = [prompt, sampler.negative_prompt if isinstance(sampler, UniPCConfig) else ""]
        for branch, text in zip(branches, texts, strict=False):
            branch.read_text(self._text.encode(text))

    def expert(self, timestep: float) -> int:
        """Which network predicts at a diffusion time."""
        sampler = self.card.sampler
        boundary = sampler.boundary if isinstance(sampler, UniPCConfig) else None
        return int(len(self.networks) > 1 and boundary is not None and timestep < boundary)

    def guidance(self, index: int) -> float:
        """How far a prediction of a network is pushed from that of the negative prompt; 1 is not at all."""
        sampler = self.card.sampler
        if not isinstance(sampler, UniPCConfig):
            return 1.0
        return sampler.low_guidance if index else sampler.guidance

    @property
    def is_guided(self) -> bool:
        """Whether sessions need a second branch, under the negative prompt."""
        return isinstance(self.card.sampler, UniPCConfig) and self.card.sampler.is_guided

    @property
    def _branch_count(self) -> int:
        return 2 if self.is_guided else 1

    def _session_bytes(self) -> int:
        """What a session takes once it is full: the networks' tensors, the decoder's state, the remembered places."""
        networks = self.networks
        attending = sum(network.session_bytes(self._branch_count) for network in networks)
        places = self._branch_count * self.memory.bank * frame_bytes(networks[0].shape) if self.memory else 0
        return attending + self._decoder_bytes + places

    def _tell_parts(self) -> None:
        """One line in the log: which graphs the engine runs, and what is PyTorch's whatever the engine."""
        if isinstance(self.engine, TorchEngine):
            return
        graphs = [name for name in self.networks[0].programs() if name != TIME_GRAPH]
        graphs += self.decoder.graphs if isinstance(self.decoder, GraphDecoder) else []
        rest = [TIME_GRAPH, *(["the text encoder"] if self._text else [])]
        rest += ["the encoder of images"] if isinstance(self.decoder, GraphDecoder) else []
        _LOG.info("%s runs %s; PyTorch runs %s", self.engine.info.engine, ", ".join(graphs), ", ".join(rest))

    def _on_engine(self, decoder: Decoder) -> Decoder:
        """The decoder's graphs in the engine that runs the networks; itself where that is PyTorch, or it has none."""
        if isinstance(self.engine, TorchEngine):
            return decoder
        loaded = self.autoencoder if self.device == "cpu" else None
        graphs = decoder_graphs(self.card, self.files, self.options.light_decoder, loaded)
        return GraphDecoder(self.engine, graphs) if graphs else decoder


def _engine_of(card: ModelCard, files: ModelFiles, options: LoadOptions) -> Engine:
    engine = EngineOptions(
        options.device,
        options.precision,
        options.threads,
        options.engine,
        options.engine_file_path,
        options.force_engine_update,
        options.verbose,
    )
    if current_share() is not None:
        engine = shared_engine(engine)
    if engine.engine == "auto":
        engine = choose_engine(card, files, engine, options.light_decoder, _export_words(options))
    return new_engine(engine)


def _export_words(options: LoadOptions) -> list[str]:
    """The arguments with which the graphs of a model that is loaded like this are exported."""
    values, usual = options.to_plain(), {option.name: option.default for option in MODEL_OPTIONS}
    return option_words({name: values[name] for name in GRAPH_OPTIONS if values[name] != usual[name]})
