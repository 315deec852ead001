"""Run a released architecture with random weights: its memory against the printed plan, and seconds per chunk.

    ./lingbot python benchmarks/random_weights.py [--model lingbot-world-v2-1.3b] [--size 64 112] [--chunks 2]
        [--example FOLDER] [--precision bf16] [--device cpu] [--work FOLDER] [--json FILE]

FOLDER of --example holds image.jpg, poses.npy, intrinsics.npy and prompt.txt as the released examples do; without one
the camera walks straight ahead from an image of noise. Transformer and autoencoder have their full sizes; a small text
encoder stands in for the real one, and is left out of the plan. Files are written to --work (4 GB for the 1.3B), once.

A process of its own loads and runs them. `peak` is the largest resident memory over what the process held when its
libraries were imported: of everything, and of what is not a mapped file (pages of a file can be dropped at any time).
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from lingbot_ros.checkpoints.cards import ModelCard, find_card
from lingbot_ros.checkpoints.hub import HubWeights
from lingbot_ros.checkpoints.weights import parameter_shapes
from lingbot_ros.evaluate.machine import describe_machine
from lingbot_ros.world import LoadOptions, Session, World
from lingbot_ros.world.adapted_card import adapted_card
from lingbot_ros.world.memory_plan import plan_memory, size_text

SHARD_BYTES = 1 << 30
READY = "complete"


def write_transformer(card: ModelCard, folder: Path) -> None:
    """Every tensor of the architecture in bf16, scaled as new layers are, in shards of 1 GB."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    shards: list[dict[str, torch.Tensor]] = [{}]
    size = 0
    for name, shape in parameter_shapes(card.architecture).items():
        if "norm" in name and name.endswith("weight"):
            tensor = torch.ones(shape)
        else:
            fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 1
            tensor = torch.empty(shape).uniform_(-1, 1) * (fan_in**-0.5 if len(shape) > 1 else 0.02)
        if size > SHARD_BYTES:
            shards.append({})
            size = 0
        shards[-1][name] = tensor.to(torch.bfloat16)
        size += tensor.numel() * 2
    for number, shard in enumerate(shards, 1):
        save_file(shard, folder / f"model-{number:05d}-of-{len(shards):05d}.safetensors")


def write_companions(card: ModelCard, folder: Path) -> None:
    """An autoencoder of the released size, and a one-layer text encoder of the released width with ten words."""
    from diffusers import AutoencoderKLWan  # noqa: PLC0415  - each takes a second to import
    from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel  # noqa: PLC0415

    assert card.architecture.text is not None
    torch.manual_seed(1)
    AutoencoderKLWan().save_pretrained(folder / "vae")
    words = ["<pad>", "</s>", "<unk>", "a", "the", "of", "and", "in", "house", "water"]
    config = UMT5Config(
        vocab_size=len(words), d_model=card.architecture.text.width, d_ff=64, d_kv=32, num_heads=2, num_layers=1
    )
    UMT5EncoderModel(config).save_pretrained(folder / "text_encoder")
    tokenizer = Tokenizer(WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )
    fast.save_pretrained(folder / "tokenizer")


def write_weights(card: ModelCard, work: Path) -> None:
    """All files of a card with one transformer, laid out as $LINGBOT_WEIGHTS wants them; nothing if they are there."""
    weights = card.weights
    assert isinstance(weights, HubWeights) and not weights.experts, f"{card.name} is not one released transformer"
    if (work / READY).exists():
        return
    write_transformer(card, work / weights.repository.split("/")[1])
    companions = (weights.companions or weights.repository).split("/")[1]
    write_companions(card, work / companions)
    (work / READY).touch()


class PeakMemory:
    """Watches this process's resident memory, in bytes over what it was at the start."""

    def __init__(self) -> None:
        self._start = self._now()
        self.peak = self.peak_anonymous = 0
        self._stop = threading.Event()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch for the time of a `with`, 50 times per second, from a new peak on."""
        self.peak = self.peak_anonymous = 0
        self._stop.clear()
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            total, anonymous = (now - start for now, start in zip(self._now(), self._start, strict=True))
            self.peak, self.peak_anonymous = max(self.peak, total), max(self.peak_anonymous, anonymous)

    @staticmethod
    def _now() -> tuple[int, int]:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        values = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss")}
        return sum(values.values()), values["RssAnon"]


def controls(session: Session, example: Path | None) -> np.ndarray:
    """The next chunk's poses [n, 4, 4]: the example's, or a walk straight ahead."""
    first, count = session.frame_index, session.frames_in_next_chunk
    if example is not None:
        return np.asarray(np.load(example / "poses.npy")[first : first + count], np.float64)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, 2, 3] = 0.05 * np.arange(first, first + count)
    return poses


def run(args: argparse.Namespace) -> dict[str, object]:
    """Load and step in this process; returns what was measured."""
    import diffusers  # noqa: F401, PLC0415  - libraries are not the model's memory
    import transformers  # noqa: F401, PLC0415

    options = LoadOptions(args.model, size=tuple(args.size), precision=args.precision, device=args.device).resolved()
    plan = plan_memory(adapted_card(find_card(args.model), options), options)
    print(plan.text(), flush=True)
    planned = sum(item.bytes for item in plan.items if item.name != "text encoder")
    image, prompt, intrinsics = np.random.default_rng(0).integers(0, 256, (480, 832, 3), dtype=np.uint8), "", None
    if args.example is not None:
        image = np.ascontiguousarray(cv2.imread(str(args.example / "image.jpg"))[..., ::-1])
        prompt = (args.example / "prompt.txt").read_text(encoding="utf-8")
        scale = np.array([image.shape[1] / 832, image.shape[0] / 480])  # they are of frames of 480 x 832
        intrinsics = np.load(args.example / "intrinsics.npy")[0] * np.tile(scale, 2)
    memory, phases = PeakMemory(), []

    def phase(name: str, started: float) -> None:
        figures = {"seconds": round(time.perf_counter() - started, 1), "peak_bytes": memory.peak}
        phases.append({"phase": name, **figures, "peak_anonymous_bytes": memory.peak_anonymous})
        print(json.dumps(phases[-1]), flush=True)

    started = time.perf_counter()
    with memory.watched():
        world = World.load(options=options)
    phase("load", started)
    session = world.start(image, prompt=prompt, intrinsics=intrinsics, seed=0)
    chunks = []
    for index in range(args.chunks):
        started = time.perf_counter()
        with memory.watched():
            frames = session.step(controls(session, args.example))
        phase(f"chunk {index}", started)
        timing, spread = session.timing, [round(float(frame.std()), 1) for frame in frames]
        chunks.append({"frames": len(frames), **timing.__dict__, "standard_deviation_of_frames": spread})
        print(json.dumps(chunks[-1]), flush=True)
    largest = max(int(row["peak_anonymous_bytes"]) for row in phases)
    print(f"planned {size_text(planned)} without the text encoder, peak {size_text(largest)}: {largest / planned:.3f}")
    return {"planned_bytes": planned, "peak_to_plan": round(largest / planned, 3), "phases": phases, "chunks": chunks}


def main() -> None:
    """Write the weights, then measure in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="lingbot-world-v2-1.3b")
    parser.add_argument("--size", type=int, nargs=2, default=[64, 112], metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--chunks", type=int, default=2)
    parser.add_argument("--example", type=Path)
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--work", type=Path, default=Path("random_weights"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--measure-only", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure_only:
        record = {"schema": 1, "model": args.model, "size": args.size, "precision": args.precision, **run(args)}
        if args.json:
            args.json.write_text(
                json.dumps({**record, "machine": describe_machine()}, indent=1) + "\n", encoding="utf-8"
            )
        return
    write_weights(find_card(args.model), args.work)
    environment = {**os.environ, "LINGBOT_WEIGHTS": str(args.work.resolve())}
    sys.exit(subprocess.run([*sys.orig_argv, "--measure-only"], env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
