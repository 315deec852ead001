"""The Wan video autoencoder from its file."""

from pathlib import Path

import torch

from lingbot_ros.checkpoints.names import autoencoder_name
from lingbot_ros.checkpoints.state_check import check_state
from lingbot_ros.checkpoints.tensors import read_tensors
from lingbot_ros.errors import ModelError
from lingbot_ros.model.wan_autoencoder import WanAutoencoder


def load_wan_autoencoder(path: Path, device: str, dtype: torch.dtype) -> WanAutoencoder:
    """From `Wan2.1_VAE.pth`, or a file or folder of safetensors, under the original or the diffusers names.

    The width is read from the weights. Raises ModelError for damaged files and for weights of another autoencoder.
    """
    from diffusers import AutoencoderKLWan  # noqa: PLC0415  - takes a second, and pixel models do without

    stored = dict(read_tensors(path))
    if "conv1.weight" in stored:
        stored = {autoencoder_name(name): tensor for name, tensor in stored.items()}
    width = stored.get("encoder.conv_in.weight")
    if width is None:
        raise ModelError(f"autoencoder: {path} has no encoder.conv_in.weight; use Wan2.1_VAE.pth or vae/")
    with torch.device("meta"):
        network = AutoencoderKLWan(base_dim=width.shape[0])
    check_state(stored, network.state_dict(), "autoencoder", path)
    state = {name: tensor.to(device, dtype, copy=True) for name, tensor in stored.items()}
    network.load_state_dict(state, strict=True, assign=True)
    return WanAutoencoder(network.requires_grad_(False).eval(), device, dtype)
