"""What a Push-T model is validated on while it is trained: windows of episodes that no training set holds."""

from collections.abc import Iterator

import numpy as np

from lingbot_ros.evaluate.metric import Frames, Metric, psnr_db
from lingbot_ros.evaluate.windows import Windows
from lingbot_ros.tasks.pusht.dataset.episode import EpisodeMaker, episode_seed
from lingbot_ros.tasks.pusht.dataset.reader import PushTDataset
from lingbot_ros.tasks.pusht.image_reader import block_iou, pusher_centre, read_shares
from lingbot_ros.training.config import ValidationConfig

_LATEST_START = 24


def _block_iou(imagined: Frames, real: Frames) -> float:
    return block_iou(read_shares(imagined), read_shares(real))


def _pusher_px(imagined: Frames, real: Frames) -> float:
    """Distance of the pushers in the two images; one that is lost counts as wrong by the whole image."""
    apart = np.hypot(*(pusher_centre(read_shares(imagined)) - pusher_centre(read_shares(real))))
    return float(np.nan_to_num(apart, nan=len(real)))


PUSHT_METRICS = (
    Metric("block_iou", _block_iou, "a block that never moves", "it is not learning contact"),
    Metric(
        "pusher_px",
        _pusher_px,
        "a pusher that never moves",
        "it is not learning to follow the actions",
        lower_is_better=True,
    ),
    Metric("psnr_db", psnr_db, "the last real frame repeated", "it is not learning what moves"),
)


def simulated_windows(config: ValidationConfig) -> Windows:
    """Windows of freshly simulated validation episodes, at places drawn by each episode's seed; needs gym-pusht."""
    length, maker = config.context + config.horizon, EpisodeMaker()

    def episodes() -> Iterator[tuple[Frames, np.ndarray]]:
        for index in range(config.windows):
            episode = maker.make(episode_seed("validation", 0, index), length + _LATEST_START)
            start = int(np.random.default_rng([episode.seed, 3]).integers(_LATEST_START))
            yield episode.frames[start : start + length], episode.actions[start : start + length - 1]

    frames, actions = zip(*episodes(), strict=True)
    return Windows(np.stack(frames), np.stack(actions), config.context)


def stored_windows(dataset: PushTDataset, config: ValidationConfig) -> Windows:
    """One window each of episodes spread over a data set, at places drawn by a fixed seed."""
    length = config.context + config.horizon
    starts = dataset.plan.steps + 2 - length
    dataset.windows(length)  # refuses a length that the episodes do not have
    episodes = np.linspace(0, len(dataset) - 1, min(config.windows, len(dataset))).astype(int)
    chosen = np.stack((episodes, np.random.default_rng(3).integers(starts, size=len(episodes))), axis=1)
    clips = dataset.clips(chosen, length)
    return Windows(clips.frames, clips.actions, config.context)
