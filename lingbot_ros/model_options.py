"""How a model can be loaded, as a user writes it: one row per option, in plain types.

Node parameters (`model.NAME`), command-line arguments (`--NAME`), the metadata of bags and `World.load` all have these
options; `world.load_options.LoadOptions` holds their values. Imports nothing large: the command line reads it first.
"""

from dataclasses import dataclass

Plain = bool | int | float | str


@dataclass(frozen=True)
class ModelOption:
    """One option: its default in its plain type, its meaning and range. choices are the accepted texts, none = any."""

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
        """The reverse of `str` on a value of this option."""
        return text == "True" if isinstance(self.default, bool) else type(self.default)(text)


MODEL_OPTIONS = (
    ModelOption("name", "", "model to load: a name from list_models, or a folder with a card.yaml"),
    ModelOption("engine", "auto", "what executes the model: auto or the name of an engine, e.g. torch"),
    ModelOption("device", "auto", "auto, cpu, cuda or cuda:N"),
    ModelOption("precision", "auto", "precision of weights and caches",
                choices=("auto", "f32", "bf16", "f16", "int8", "fp8")),
    ModelOption("threads", 0, "CPU threads of the engine; 0 = decided by the number of cores", 0, 256, metavar="N"),
    ModelOption("size", "", "models of the released family: WIDTHxHEIGHT of the frames in pixels; empty = the card's",
                metavar="WxH"),
    ModelOption("one_step", False, "few-step models: generate with the first sampling step alone, faster, less true"),
    ModelOption("steps", 0, "many-step models: sampling steps of a chunk; 0 = the card's", 0, 1000, metavar="N"),
    ModelOption("shift", 0.0, "many-step models: shift of the noise levels; 0 = the card's", 0.0, 100.0, metavar="X"),
    ModelOption("guidance", 0.0, "many-step models: weight of the prompt against negative_prompt, 1 = not at all; "
                "0 = the card's", 0.0, 100.0, metavar="X"),
    ModelOption("negative_prompt", "", "many-step models with guidance: text to keep away from; empty = the card's",
                metavar="TEXT"),
    ModelOption("window", 0, "latent frames that attention sees, the chunk's own included; 0 = the card's", 0, 65536,
                metavar="N"),
    ModelOption("sink", -1, "latent frames from the start that attention never loses; -1 = the card's", -1, 65536,
                metavar="N"),
    ModelOption("prompt_policy", "keep", "when the prompt changes: keep what is remembered, which changes gradually, "
                "or recompute it under the new prompt, which changes at once", choices=("keep", "recompute")),
    ModelOption("text_device", "cpu", "models with text: where the text encoder is, cpu, cuda or cuda:N"),
    ModelOption("light_decoder", "",
                "models of the released family: file of a small decoder for the frames, taew2_1.pth; empty = none",
                metavar="FILE"),
    ModelOption("memory", 0, "camera models: latent frames to remember of places, shown to the model when the "
                "camera comes back; 0 = none", 0, 65536, metavar="N"),
    ModelOption("offload_expert", False, "models with two experts: keep the one that is not in use in main memory"),
)  # fmt: skip
"""All of them, in the order of documentation and help."""
