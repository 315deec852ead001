"""A light decoder from its file."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from lingbot_ros.checkpoints.state_check import check_state
from lingbot_ros.checkpoints.tensors import read_tensors
from lingbot_ros.errors import ErrorCode, ModelError
from lingbot_ros.model.light_decoder import LightDecoder, build_decoder

SOURCE = "https://github.com/madebyollin/taehv"
"""Where `taew2_1.pth` is published."""

_RAW_LATENTS = "lighttae"
_WIDTH_KEYS = ("decoder.1.weight", "decoder.8.weight", "decoder.14.weight", "decoder.20.weight")
_LAST_KEY = "decoder.22.weight"


def load_light_decoder(
    path: Path, device: str, dtype: torch.dtype, denormalize: Callable[[Tensor], Tensor]
) -> LightDecoder:
    """From `taew2_1` or `lighttaew2_1`, .safetensors or .pth (tensors only). The sizes are read from the weights.

    `denormalize` undoes the normalisation of latents: files whose name begins with `lighttae` were trained on latents
    without it. Raises ModelError that says what to do for a file that is absent, damaged or of another decoder.
    """
    if not path.is_file():
        advice = f"download taew2_1.pth or taew2_1.safetensors from {SOURCE}, or leave the light decoder out"
        raise ModelError(f"light decoder: {path} does not exist; {advice}", ErrorCode.UNKNOWN_MODEL)
    stored = {name: tensor for name, tensor in read_tensors(path) if name.startswith("decoder.")}
    missing = [name for name in (*_WIDTH_KEYS, _LAST_KEY) if name not in stored]
    if missing:
        raise ModelError(f"light decoder: {path} has no {missing[0]}; use taew2_1 from {SOURCE}")
    widths = tuple(stored[name].shape[0] for name in _WIDTH_KEYS)
    with torch.device("meta"):
        network = build_decoder(stored[_WIDTH_KEYS[0]].shape[1], widths, outputs=3)
    expected = network.state_dict()
    for name, tensor in expected.items():
        # A file may hold growths of twice as many frames as its decoder makes; the last of them count.
        if name in stored and tensor.shape[2:] == (1, 1) and stored[name].shape[0] > tensor.shape[0]:
            stored[name] = stored[name][-tensor.shape[0] :]
    check_state(stored, expected, "light decoder", path)
    network.load_state_dict(
        {name: tensor.to(device, dtype, copy=True) for name, tensor in stored.items()}, strict=True, assign=True
    )
    prepare = denormalize if path.name.startswith(_RAW_LATENTS) else lambda latents: latents
    return LightDecoder(network.requires_grad_(False).eval(), device, dtype, prepare)
