"""What should a small world model predict? Pixels, latents, motion per pixel or rigid layers, at an equal budget.

    ./lingbot python benchmarks/variants/compare.py --data DATA --run RUN [--iterations 300] [--windows 24]

Trains every variant (`benchmarks/variants/NAME.yaml`) on the same frames, rolls each out on the same held-out windows
with contact, and writes figures and strips. A variant whose result is in RUN already is not trained again.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from frame_autoencoder import FrameAutoencoder, LatentClips
from numpy.typing import NDArray
from rollout import roll_out

from lingbot_ros.evaluate.machine import describe_machine, describe_versions
from lingbot_ros.evaluate.strips import Strip, save_strips
from lingbot_ros.tasks.pusht.dataset.held_out import held_out_windows, stack_windows
from lingbot_ros.tasks.pusht.dataset.reader import PushTDataset
from lingbot_ros.tasks.pusht.metrics import Measures, measure
from lingbot_ros.tasks.pusht.report.files import truth_overlay
from lingbot_ros.tasks.pusht.training_data import PushTClips, PushTParts, median_image, scale_actions
from lingbot_ros.tasks.pusht.windows import PushTWindows
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.train import Limits, Trainer

FOLDER = Path(__file__).parent
VARIANTS = ("pixels", "latent", "motion", "layers", "layers-unlabelled")
AUTOENCODER_SHARE = 0.6
"""Frames that the autoencoder sees, over those of a variant: about as much work as a latent model saves."""

SHOWN = (1, 4, 8, 16, 32)


def train(name: str, dataset: PushTDataset, run: Path, iterations: int) -> tuple[Trainer, FrameAutoencoder | None]:
    """The trained variant, and what its latents are made by; `layers-unlabelled` are told no motions."""
    config = TrainConfig.load(FOLDER / f"{name.removesuffix('-unlabelled')}.yaml")
    if name.endswith("-unlabelled"):
        config = replace(config, name=name, motion_weight=0.0)
    source = PushTClips(dataset, config.rollout.clip_frames, config.moving_fraction)
    background = median_image(dataset)
    if config.transformer.pixel is not None:
        parts = None if name.endswith("-unlabelled") else PushTParts(background)
        trainer, autoencoder = Trainer(config, source, background, run, parts=parts), None
    else:
        autoencoder = FrameAutoencoder()
        frames = iterations * config.schedule.batch_clips * config.rollout.clip_frames
        autoencoder.train(source, background, int(AUTOENCODER_SHARE * frames), config.foreground_weight)
        latents = LatentClips(source, autoencoder)
        trainer = Trainer(config, latents, autoencoder.encode(background[None])[0], run)
    trainer.train(Limits(iterations))
    return trainer, autoencoder


def imagine(trainer: Trainer, autoencoder: FrameAutoencoder | None, windows: PushTWindows) -> NDArray[np.uint8]:
    """The future uint8 [N, H, 96, 96, 3] of every window under its true actions."""
    actions = scale_actions(windows.actions)
    if autoencoder is None:
        return roll_out(trainer.average, trainer.config, windows.past, actions)
    encoded = np.stack([autoencoder.encode(past) for past in windows.past])
    latents = roll_out(trainer.average, trainer.config, encoded, actions)
    return np.stack([autoencoder.decode(future) for future in latents])


def figures(measures: Measures) -> dict[str, list[float]]:
    """Over windows, one number per frame shown."""
    rows = {
        "psnr_db_mean": measures.psnr_db.mean(axis=0),
        "pusher_error_px_median": np.median(measures.pusher_px, axis=0),
        "block_iou_mean": measures.block_iou.mean(axis=0),
        "block_pose_error_px_median": np.median(measures.pose_px, axis=0),
        "block_pose_error_deg_median": np.median(measures.pose_deg, axis=0),
        "block_rigidity_mean": measures.rigidity.mean(axis=0),
    }
    return {name: [round(float(value), 3) for value in row] for name, row in rows.items()}


def measure_variant(imagined: NDArray[np.uint8], windows: PushTWindows) -> dict[str, list[float]]:
    """Figures of images [N, H, ...] at the frames shown."""
    at = np.array(SHOWN) - 1
    pusher, block = windows.pusher[:, windows.context + at], windows.block[:, windows.context + at]
    return figures(measure(imagined[:, at], windows.future[:, at], pusher, block))


def strip(title: str, windows: PushTWindows, imagined: NDArray[np.uint8]) -> Strip:
    """The first window as imagined [N, H, ...], at the frames shown."""
    at = np.array(SHOWN) - 1
    block, pusher = windows.block[0, windows.context + at], windows.pusher[0, windows.context + at]
    return Strip(
        title, windows.future[0, at], imagined[0, at], [""] * len(SHOWN), truth_overlay(block, pusher), "simulator"
    )


def main() -> None:
    """Train what is missing, measure it, print a table and write `variants.json` and `variants.png`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a data set made by `lingbot dataset pusht`")
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--iterations", type=int, default=300, help="of 60 frames each (default %(default)s)")
    parser.add_argument("--windows", type=int, default=24, help="held-out windows (default %(default)s)")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=VARIANTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.run.mkdir(parents=True, exist_ok=True)
    dataset = PushTDataset(args.data)
    windows = stack_windows(list(held_out_windows(args.windows, 1, 4, max(SHOWN))), 4, max(SHOWN))
    still = np.repeat(windows.past[:, -1:], windows.horizon, axis=1)
    results: dict[str, Any] = {"repeat last frame": measure_variant(still, windows)}
    strips = []
    for name in args.only:
        done, pictures = args.run / f"{name}.json", args.run / f"{name}.npy"
        if not done.exists():
            started_s = time.process_time()
            trainer, autoencoder = train(name, dataset, args.run / name, args.iterations)
            cpu_s = round(time.process_time() - started_s)
            imagined = imagine(trainer, autoencoder, windows)
            parameters = sum(p.numel() for p in trainer.average.parameters())
            np.save(pictures, imagined)
            done.write_text(
                json.dumps({"parameters": parameters, "cpu_s": cpu_s, **measure_variant(imagined, windows)}),
                encoding="utf-8",
            )
        results[name] = json.loads(done.read_text(encoding="utf-8"))
        strips.append(strip(name, windows, np.load(pictures)))
    for name, row in results.items():
        print(f"{name:20}", " ".join(f"{key} {value}" for key, value in row.items()))
    about = {"iterations": args.iterations, "frames_per_iteration": 60, "windows": args.windows, "frames": SHOWN}
    report = {**about, "variants": results, "machine": describe_machine(), "versions": describe_versions()}
    (args.run / "variants.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    save_strips(args.run / "variants.png", "the same window by every variant", strips, SHOWN)


if __name__ == "__main__":
    main()
