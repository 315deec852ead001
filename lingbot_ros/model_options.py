"""The options for loading a model, as a user writes them: one row per option, in plain types.

Node parameters (`model.NAME`), command-line arguments (`--NAME`), the metadata of bags and `World.load` share these
options; `world.load_options.LoadOptions` holds their values. This module has no large imports, so help stays fast.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

Plain = bool | int | float | str


@dataclass(frozen=True)
class ModelOption:
    """One option: name, default in its plain type, meaning and range. choices: the accepted texts; empty = any."""

    name: str
    default: Plain
    description: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    metavar: str | None = None

    @property
    def parameter(self) -> str:
        """The node's parameter, and the key in a bag's metadata."""
        return f"model.{self.name}"

    def parse(self, text: str) -> Plain:
        """Parse what `str` printed for a value of this option."""
        return text == "True" if isinstance(self.default, bool) else type(self.default)(text)


MODEL_OPTIONS = (
    ModelOption("name", "", "model to load: a name from list_models, or a folder with a card.yaml"),
    ModelOption("engine", "auto", "engine that executes the model: auto, or an engine of `lingbot engines`"),
    ModelOption("device", "auto", "device of the model: auto, cpu, cuda or cuda:N"),
    ModelOption("precision", "auto", "precision of weights and caches",
                choices=("auto", "f32", "bf16", "f16", "int8", "fp8")),
    ModelOption("threads", 0, "CPU threads of the engine; 0 = chosen by the number of cores", 0, 256, metavar="N"),
    ModelOption("engine_file_path", "", "TensorRT engines: folder of the plans, as `lingbot engines build --out` "
                "writes it; empty = the user's cache", metavar="DIR"),
    ModelOption("force_engine_update", False, "TensorRT engines: rebuild plans that exist"),
    ModelOption("verbose", False, "TensorRT engines: show the library's full log"),
    ModelOption("size", "", "released models: size of the frames in pixels, WIDTHxHEIGHT, or their area: 480p, 720p, "
                "HEIGHT*WIDTH or a number; empty = the card's", metavar="SIZE"),
    ModelOption("fit", "aspect", "images of another aspect than the frames: aspect = imagine chooses a size of the "
                "first image's aspect, other images are stretched; crop = the middle is used; stretch",
                choices=("aspect", "crop", "stretch")),
    ModelOption("clip_frames", 0, "models that make one clip at once: its frames, 4n + 1; 0 = the card's", 0, 4093,
                metavar="N"),
    ModelOption("one_step", False, "few-step models: use only the first sampling step; faster but less accurate"),
    ModelOption("text_only", False, "camera models with text: imagine from image and prompt alone, without a camera; "
                "poses only say how many frames"),
    ModelOption("noise", "", "models that sample: .npy file of the noise [chunks, draws, channels, frames, height, "
                "width] instead of the seed's, e.g. of another program whose film is compared; empty = the seed's",
                metavar="FILE"),
    ModelOption("steps", 0, "many-step models: sampling steps per chunk; 0 = the card's", 0, 1000, metavar="N"),
    ModelOption("shift", 0.0, "many-step models: shift of the noise levels; 0 = the card's", 0.0, 100.0, metavar="X"),
    ModelOption("guidance", 0.0, "many-step models: weight of the guidance away from negative_prompt; 1 = no guidance, "
                "0 = the card's", 0.0, 100.0, metavar="X"),
    ModelOption("guidance_low", 0.0, "models with two experts: guidance of the low-noise expert; 0 = as guidance", 0.0,
                100.0, metavar="X"),
    ModelOption("negative_prompt", "", "many-step models with guidance: text that the image should not show; empty = "
                "the card's", metavar="TEXT"),
    ModelOption("window", 0, "attention window in latent frames, the current chunk included; 0 = the card's", 0, 65536,
                metavar="N"),
    ModelOption("sink", -1, "first latent frames of a session that stay in the window; -1 = the card's", -1, 65536,
                metavar="N"),
    ModelOption("prompt_policy", "keep", "when the prompt changes: keep the cache, so that the image changes "
                "gradually, or recompute it with the new prompt, so that the image changes at once",
                choices=("keep", "recompute")),
    ModelOption("text_device", "cpu", "models with text: device of the text encoder: cpu, cuda or cuda:N"),
    ModelOption("light_decoder", "", "released models: file of a small decoder for the frames, e.g. taew2_1.pth; empty "
                "= none", metavar="FILE"),
    ModelOption("memory", 0, "camera models: number of past latent frames to store and attend to again when the camera "
                "returns to their place; 0 = none", 0, 65536, metavar="N"),
    ModelOption("offload_expert", False, "models with two experts: keep the expert that is not in use in main memory"),
)  # fmt: skip
"""All options, in the order of documentation and help."""

GRAPH_OPTIONS = ("size", "clip_frames", "text_only", "window", "sink", "light_decoder", "memory")
"""The options on which a model's graphs depend. What is exported for one value does not serve another."""


def option_words(values: Mapping[str, Plain]) -> list[str]:
    """Command-line arguments that repeat these values, without the model's name."""
    words = []
    for name, value in values.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif name != "name":
            words.append(f"--{flag} {shlex.quote(str(value))}")
    return words
