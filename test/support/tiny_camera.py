"""A folder with a whole tiny camera model: random transformer, the conformance autoencoder, a random text encoder."""

from pathlib import Path

import numpy as np
import torch
import yaml

from lingbot_ros.checkpoints.architecture import to_plain
from lingbot_ros.checkpoints.tensors import file_sha256
from lingbot_ros.checkpoints.weights import save_transformer
from lingbot_ros.model.config import KEYS, RayControlConfig, StreamConfig, TextConfig, TransformerConfig
from lingbot_ros.model.sampler import SamplerConfig
from lingbot_ros.model.schedule import distilled_sampler
from lingbot_ros.model.unipc import UniPCConfig
from test.support.tiny_model import random_transformer
from test.support.tiny_text import WIDTH, write_tiny_text

DATA = Path(__file__).parents[1] / "data" / "conformance"
HEIGHT, WIDTH_PX = 32, 48
STREAM = StreamConfig(chunk=2, window=6, sink=2)
FOUR_STEPS = distilled_sampler((0, 250, 500, 750), 5)


def camera_transformer(channels: int = 6) -> TransformerConfig:
    """Two small blocks with everything that the released ones have."""
    return TransformerConfig(
        dim=48,
        ffn_dim=64,
        num_layers=2,
        num_heads=2,
        freq_dim=32,
        text=TextConfig(WIDTH, 10),
        control=RayControlConfig(channels=channels),
    )


def write_tiny_camera_model(
    folder: Path,
    name: str = "tiny-camera",
    sampler: SamplerConfig | UniPCConfig = FOUR_STEPS,
    stream: StreamConfig = STREAM,
    channels: int = 6,
) -> Path:
    """Write `folder/name`; returns that path."""
    path = folder / name
    path.mkdir(parents=True)
    weights = path / "model.safetensors"
    config = camera_transformer(channels)
    save_transformer(random_transformer(config), weights, torch.float32)
    vae = {name: torch.from_numpy(array) for name, array in np.load(DATA / "vae_weights.npz").items()}
    torch.save(vae, path / "Wan2.1_VAE.pth")
    write_tiny_text(path)
    card = {
        "name": name,
        "summary": "random weights, for tests",
        "family": "lingbot-world",
        "licence": "Apache-2.0",
        "height": HEIGHT,
        "width": WIDTH_PX,
        "fps": 16.0,
        "control": _control(channels),
        "architecture": to_plain(config),
        "stream": to_plain(stream),
        "sampler": to_plain(sampler),
        "autoencoder": "wan",
        "weights": {"file": weights.name, "sha256": file_sha256(weights), "bytes": weights.stat().st_size},
    }
    (path / "card.yaml").write_text(yaml.safe_dump(card, sort_keys=False))
    return path


def _control(channels: int) -> dict[str, object]:
    """With 7 channels keys come with each pose."""
    keys = list(KEYS) if channels == 7 else []
    low, high = [0.0] * len(keys), [1.0] * len(keys)
    return {"kind": "camera", "dim": len(keys), "names": keys, "low": low, "high": high}


def write_tiny_experts(folder: Path, name: str, guidance: float = 1.0) -> tuple[Path, Path, Path]:
    """A model of two experts that differ, laid out as downloaded ones are; its folder and those of the experts.

    It is found where $LINGBOT_WEIGHTS is `folder`.
    """
    sampler = UniPCConfig(4, 10.0, guidance=guidance, commit=False, boundary=947.0)
    path = write_tiny_camera_model(folder, name, sampler, StreamConfig(3, 3))
    high, low = path / "high_noise_model", path / "low_noise_model"
    high.mkdir()
    low.mkdir()
    (path / "model.safetensors").rename(high / "diffusion_pytorch_model.safetensors")
    save_transformer(
        random_transformer(camera_transformer(), seed=5), low / "diffusion_pytorch_model.safetensors", torch.float32
    )
    card = yaml.safe_load((path / "card.yaml").read_text())
    card["weights"] = {"repository": f"someone/{name}", "bytes": 0, "experts": True}
    (path / "card.yaml").write_text(yaml.safe_dump(card, sort_keys=False))
    return path, high, low
