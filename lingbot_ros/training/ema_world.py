"""A model in training as a world: exported, written down and loaded as a finished one is."""

import tempfile
from pathlib import Path

import torch
import yaml

from lingbot_ros.checkpoints.architecture import to_plain
from lingbot_ros.model.sampler import SamplerConfig
from lingbot_ros.model.transformer import CausalWorldTransformer
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.export import export_model
from lingbot_ros.training.training_data import TrainingData
from lingbot_ros.world import World

ONE_STEP = SamplerConfig(timesteps=(999.0,), sigmas=(1.0,), commit=False)


def load_ema_world(model: CausalWorldTransformer, config: TrainConfig, data: TrainingData, device: str) -> World:
    """The world that exporting `model` now would give, by way of its files, in float32 on `device`."""
    height, width = data.background.shape[:2]
    card = {
        "name": config.name,
        "summary": "in training",
        "family": "lingbot-small",
        "licence": "none",
        "height": height,
        "width": width,
        "fps": data.fps,
        "control": to_plain(data.control),
        "autoencoder": "pixel",
        "sampler": to_plain(ONE_STEP),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "card.yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
        export_model(model, config, folder)
        return World.load(folder, device=device, precision="f32", threads=torch.get_num_threads())
