"""Transformer weights from and to safetensors: every name and shape is checked, nothing is unpickled."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from lingbot_ros.checkpoints.detect import check_config
from lingbot_ros.checkpoints.names import released_names
from lingbot_ros.checkpoints.tensors import open_weights, stored_shapes
from lingbot_ros.errors import ModelError
from lingbot_ros.model.config import TransformerConfig
from lingbot_ros.model.finite import require_finite
from lingbot_ros.model.quantized import is_quantized, quantize, replace_linears
from lingbot_ros.model.transformer import CausalWorldTransformer

FLOAT32_PARTS = ("time_embedding", "time_projection", "head", "action_embedding")
"""Small top-level parts that compute in float32 whatever the precision of the rest (model_spec 3.5, 3.6)."""

_LISTED_PROBLEMS = 5


def parameter_shapes(config: TransformerConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter, without allocating any."""
    with torch.device("meta"):
        model = CausalWorldTransformer(config)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def check_names_and_shapes(found: Mapping[str, tuple[int, ...]], config: TransformerConfig, source: object) -> None:
    """Raise ModelError naming each tensor that is missing, unexpected or of another shape."""
    expected = parameter_shapes(config)
    problems = [f"missing {name} {list(shape)}" for name, shape in expected.items() if name not in found]
    problems += [f"unexpected {name}" for name in found if name not in expected]
    problems += [
        f"{name} is {list(found[name])}, must be {list(shape)}"
        for name, shape in expected.items()
        if name in found and tuple(found[name]) != shape
    ]
    if problems:
        more = f" and {len(problems) - _LISTED_PROBLEMS} more" if len(problems) > _LISTED_PROBLEMS else ""
        raise ModelError(
            f"{source}: weights do not fit the card's architecture: {'; '.join(problems[:_LISTED_PROBLEMS])}{more}. "
            "Use the weights that belong to this card"
        )


def load_transformer(
    config: TransformerConfig,
    files: Sequence[Path],
    precision: torch.dtype,
    device: str,
    storage: torch.dtype | None = None,
) -> CausalWorldTransformer:
    """Build a transformer straight from memory-mapped files: one tensor at a time to its device and dtype.

    With `storage` (int8 or float8_e4m3fn) the linears of the blocks are stored in it and widened to `precision`. The
    names may be those of any packaging that `families.names` knows. The layers that see a camera may be in the files
    and are not read where `config` has no control. Raises ModelError for a file that is missing,
    truncated or not safetensors, and for weights that do not fit.
    """
    names = released_names(stored_shapes(files))
    if config.control is None:
        names = {stored: name for stored, name in names.items() if not is_of_camera(name)}
    shapes = {name: shape for name, shape in released_shapes(files).items() if name in names.values()}
    check_names_and_shapes(shapes, config, files[0].parent if len(files) > 1 else files[0])
    check_config(config, files)
    state: dict[str, Tensor] = {}
    for path in files:
        file = open_weights(path)
        for stored in filter(names.__contains__, file.keys()):
            name, tensor = names[stored], file.get_tensor(stored)
            if storage is not None and is_quantized(name):
                require_finite({stored: tensor}, str(path), "get the file again, or train again")
                state[name], state[f"{name.removesuffix('weight')}scale"] = quantize(tensor.to(device), storage)
            else:
                state[name] = tensor.to(device, parameter_dtype(name, precision), copy=True)
    require_finite(state, str(files[0]), "get the file again, or train again")
    with torch.device("meta"):
        model = CausalWorldTransformer(config)
        if storage is not None:
            replace_linears(model, storage)
    model.load_state_dict(state, strict=True, assign=True)
    return model.requires_grad_(False).eval()


def is_of_camera(name: str) -> bool:
    """Whether a parameter, by its released name, belongs to what sees a camera (model_spec 1.4)."""
    part = name.split(".")[2 if name.startswith("blocks.") else 0]
    return part.startswith(("patch_embedding_wancamctrl", "c2ws_hidden_states", "cam_"))


def released_shapes(files: Sequence[Path]) -> dict[str, tuple[int, ...]]:
    """Released name -> shape of a stored transformer; raises ModelError when two stored names mean the same tensor."""
    shapes = stored_shapes(files)
    names = released_names(shapes)
    released = {names[stored]: shape for stored, shape in shapes.items()}
    if len(released) != len(shapes):
        twice = next(name for name in shapes if name != names[name] and names[name] in shapes)
        raise ModelError(f"{files[0].parent}: {twice} and {names[twice]} are the same tensor; use unmixed weights")
    return released


def parameter_dtype(name: str, precision: torch.dtype) -> torch.dtype:
    """Stored dtype of a parameter when the linears run in `precision`."""
    part, leaf = name.partition(".")[0], name.rpartition(".")[2]
    return torch.float32 if part in FLOAT32_PARTS or leaf == "modulation" else precision


def save_transformer(model: CausalWorldTransformer, path: Path, dtype: torch.dtype) -> None:
    """Write all parameters as safetensors in one dtype. Raises ModelError where one of them is not finite in it."""
    tensors = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in model.state_dict().items()}
    fix = f"as {str(dtype).removeprefix('torch.')}; train again with a smaller learning_rate"
    require_finite(tensors, f"{path.name} was not written", fix)
    save_file(tensors, path)
