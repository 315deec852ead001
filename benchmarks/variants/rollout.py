"""Open-loop rollouts of a batch straight from a training model, whatever its frames are made of."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from lingbot_ros.model.transformer import CausalWorldTransformer
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.pool import Batch, to_float, to_uint8
from lingbot_ros.training.train import ClipForward


@torch.no_grad()
def roll_out(
    model: CausalWorldTransformer, config: TrainConfig, past: NDArray[np.uint8], actions: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """What follows `past` [N, C, h, w, c] under `actions` [N, C-1+H, dim] in -1..1: uint8 [N, H, h, w, c].

    Every frame is made by a pass over as many frames as a training clip has.
    """
    length = config.rollout.clip_frames
    frames = past
    for step in tqdm(range(past.shape[1], actions.shape[1] + 1), desc=config.name):
        seen = min(length, step)
        forward = ClipForward(
            replace(config, rollout=replace(config.rollout, clip_frames=seen)), past.shape[2:4], torch.device("cpu")
        )
        newest = np.arange(step - seen, step)
        before = np.maximum(newest - 1, 0)
        previous = to_float(frames[:, newest])
        batch = Batch(
            target=torch.empty_like(previous),
            condition=torch.cat((previous, to_float(frames[:, before])), dim=1),
            actions=torch.from_numpy(np.stack((actions[:, newest], actions[:, before]), axis=2)),
            motions=None,
            slots=np.empty(0),
        )
        prediction, _ = forward(model, batch)
        frames = np.concatenate((frames, to_uint8(prediction[:, :, -1:]).numpy()), axis=1)
    return frames[:, past.shape[1] :]
