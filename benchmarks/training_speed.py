"""How many frames a second are trained on, how long clips keep it waiting, and what attention over long clips costs.

    ./lingbot python benchmarks/training_speed.py [--device cuda] [--compile] [--json FILE]

Every iteration loads only fresh clips, as a run does before its rollouts begin, which is when loading costs most. Of
each option the best of some rounds is given, since other programs can only slow it down; on a CPU the seconds are the
processor's. `--compile` adds a row and the
minutes that compiling takes on a CPU.
"""

import argparse
import json
import platform
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

import torch

from lingbot_ros.evaluate.machine import describe_machine
from lingbot_ros.model.attention import Attend, MaskedAttention, block_causal_mask
from lingbot_ros.model.ring import Ring
from lingbot_ros.tasks.data import open_training_data
from lingbot_ros.tasks.pusht.dataset.writer import make_shards, missing_shards, plan_dataset
from lingbot_ros.training.clip_stream import ClipStream
from lingbot_ros.training.config import TrainConfig
from lingbot_ros.training.execution import Execution
from lingbot_ros.training.train import Limits, Trainer
from lingbot_ros.training.training_data import TrainingData
from lingbot_ros.training.windowed_attention import WindowedAttention

CONFIG = Path(__file__).parents[1] / "models" / "pusht-small" / "train.yaml"
EPISODES = 8


def make_data(folder: Path) -> Path:
    """A small Push-T data set."""
    plan = plan_dataset("train", 0, EPISODES, 80)
    list(make_shards(folder, plan, missing_shards(folder, plan), workers=1))
    return folder


def measure(
    config: TrainConfig, data: TrainingData, options: list[Execution], iterations: int, rounds: int
) -> list[dict[str, object]]:
    """Frames per second of each option, in turns so that what else the machine does meets all of them."""
    best = [float("inf")] * len(options)
    with tempfile.TemporaryDirectory() as folder:
        trainers = [
            Trainer(config, data.source, data.background, Path(folder) / str(n), option)
            for n, option in enumerate(options)
        ]
        for trainer in trainers:
            trainer.train(Limits(1))
        for _ in range(rounds):
            for n, trainer in enumerate(trainers):
                before = trainer.trained_seconds
                trainer.train(Limits(trainer.iteration + iterations))
                best[n] = min(best[n], trainer.trained_seconds - before)
    frames = iterations * config.schedule.batch_clips * config.rollout.clip_frames
    return [
        {**asdict(option), "frames_per_second": round(frames / seconds, 1)}
        for option, seconds in zip(options, best, strict=True)
    ]


def measure_loading(data: TrainingData, loaders: int, clips: int, rounds: int) -> dict[str, object]:
    """Milliseconds for which an iteration of `clips` fresh clips waits, where training leaves 0.3 s in between.

    That time is slept here: on a GPU the processor has next to nothing to do in it.
    """
    stream = ClipStream(data.source.sample, seed=0, loaders=loaders)
    waited = []
    for _ in range(rounds + 1):
        time.sleep(0.3)
        began = time.perf_counter()
        for _ in range(clips):
            stream.take()
        waited.append(time.perf_counter() - began)
    stream.close()
    return {"loaders": loaders, "fresh_clips": clips, "waited_ms": round(min(waited[1:]) * 1e3, 1)}


def measure_attention(config: TrainConfig, frames: int, device: str, rounds: int) -> dict[str, object]:
    """Milliseconds of attention, forward and backward, over one clip: masked whole, and cut into windows."""
    transformer, stream = config.transformer, config.stream
    ring, tokens = Ring(stream.chunk, stream.window, stream.sink), transformer.tokens_per_frame(96, 96)
    visible = block_causal_mask(ring, frames, tokens)
    mask = torch.zeros(visible.shape).masked_fill(~visible, -torch.inf).to(device)
    attends: dict[str, Attend] = {
        "masked_whole_ms": MaskedAttention(mask),
        "in_windows_ms": WindowedAttention(ring, tokens, torch.device(device)),
    }
    size = (1, transformer.num_heads, frames * tokens, transformer.head_dim)
    q, k, v = (torch.randn(size, device=device, requires_grad=True) for _ in range(3))
    clock = time.process_time if device == "cpu" else time.perf_counter
    row: dict[str, object] = {"clip_frames": frames}
    for name, attend in attends.items():
        best = float("inf")
        for _ in range(rounds + 1):
            began = clock()
            float(torch.autograd.grad(attend(q, k, v).sum(), (q, k, v))[0].sum())
            best = min(best, clock() - began)
        row[name] = round(best * 1e3, 1)
    return row


def main() -> None:
    """Measure, print a line each, and write them down if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--data", type=Path, help="Push-T data set; without it a small one is simulated")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--iterations", type=int, default=2, help="per round (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--batch-clips", type=int, help="instead of the configuration's")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    config = TrainConfig.load(args.config)
    clips = args.batch_clips or config.schedule.batch_clips
    # Of the pool only as much as a batch: every draw then needs fresh clips.
    config = replace(
        config,
        schedule=replace(config.schedule, batch_clips=clips),
        rollout=replace(config.rollout, pool_clips=clips),
    )
    options = [
        Execution(args.device, "f32"),
        Execution(args.device),
        Execution(args.device, loaders=1),
        *([Execution(args.device, compiled=True, loaders=1)] if args.compile else []),
    ]
    with tempfile.TemporaryDirectory() as folder:
        data = open_training_data(args.data or make_data(Path(folder)), config)
        rows = measure(config, data, options, args.iterations, args.rounds)
        long_clips = replace(config, rollout=replace(config.rollout, clip_frames=64))
        data = open_training_data(args.data or Path(folder), long_clips)
        loading = [measure_loading(data, loaders, 32, args.rounds) for loaders in (0, 1, 2)]
    attention = [measure_attention(config, frames, args.device, args.rounds) for frames in (28, 64)]
    for row in [*rows, *loading, *attention]:
        print(json.dumps(row))
    if args.json:
        record = {
            "schema": 1,
            "machine": describe_machine(),
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
            "config": args.config.name,
            "batch_clips": clips,
            "clip_frames": config.rollout.clip_frames,
            "threads": args.threads,
            "rows": rows,
            "loading_of_clips_of_64_frames": loading,
            "attention": attention,
        }
        args.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
