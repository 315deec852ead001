"""`lingbot models`: list the models, show one, download one, verify its files."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingbot_ros.checkpoints.cards import ModelCard

HELP = "list the models, show or download one, verify its files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the four actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_where(actions.add_parser("list", help="list all models: size, licence, availability, memory"))
    info = actions.add_parser("info", help="show a model's card and its memory plan on this machine")
    info.add_argument("name", help="model name or folder")
    _add_where(info)
    download = actions.add_parser("download", help="download a model; repeat to resume an interrupted download")
    download.add_argument("name", help="name of the model, here or on the hub")
    verify = actions.add_parser(
        "verify", help="verify a model's tensors: count, names, shapes, types, total size, checksums"
    )
    verify.add_argument("path", help="weights file, checkpoint folder, or model name")


def _add_where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda (default %(default)s)")
    parser.add_argument("--precision", default="auto", help="auto, f32, bf16, f16, int8, fp8 (default %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Run the action; errors name the next step."""
    actions = {"list": _list, "info": _info, "download": _download, "verify": _verify}
    return actions[args.action](args)


def _list(args: argparse.Namespace) -> int:
    from lingbot_ros.checkpoints.cards import read_cards
    from lingbot_ros.checkpoints.files import unavailable_reason
    from lingbot_ros.engine.interface import EngineOptions
    from lingbot_ros.engine.torch_engine import TorchEngine
    from lingbot_ros.world import LoadOptions
    from lingbot_ros.world.memory_plan import plan_memory, size_text

    options = LoadOptions("", device=args.device, precision=args.precision).resolved()
    device, precision = options.device, options.precision
    print(f"engine: {TorchEngine(EngineOptions(device, precision)).info}")
    print(f"{'model':<30} {'weights':>9}  {'licence':<17} {'local':<5} memory in {precision} on {device}")
    cards, faults = read_cards()
    for card in cards:
        plan = plan_memory(card, options)
        here = "no" if unavailable_reason(card) else "yes"
        memory = f"{size_text(plan.needed(device))}, {'fits' if plan.fits else 'does not fit'}"
        print(f"{card.name:<30} {size_text(card.weights.bytes):>9}  {card.licence:<17} {here:<5} {memory}")
        print(f"    {card.summary}")
    for fault in faults:
        print(f"not read: {' '.join(str(fault).split())}")
    if any(card.non_commercial for card in cards):
        print("Licences with NC permit non-commercial use only.")
    return 0


def _info(args: argparse.Namespace) -> int:
    from lingbot_ros.checkpoints.cards import find_card
    from lingbot_ros.checkpoints.files import unavailable_reason
    from lingbot_ros.engine.interface import EngineOptions
    from lingbot_ros.engine.torch_engine import TorchEngine
    from lingbot_ros.world import LoadOptions
    from lingbot_ros.world.memory_plan import plan_memory

    card = find_card(args.name)
    options = LoadOptions(card.name, device=args.device, precision=args.precision).resolved()
    print("\n".join(_description(card)))
    print(f"engine: {TorchEngine(EngineOptions(options.device, options.precision)).info}")
    print(unavailable_reason(card) or "weights: on this machine")
    plan = plan_memory(card, options)
    print(plan.text())
    print(plan.verdict())
    return 0


def _description(card: "ModelCard") -> list[str]:
    control = card.control
    driven = f"{', '.join(control.names)} ({control.unit}). " if control.names else ""
    lines = [
        f"{card.name}: {card.summary}",
        f"licence: {card.licence_note}",
        f"frames: {card.width}x{card.height}, {card.fps:g} per second",
        f"control: {control.kind}: {driven}{control.description}",
        _generation(card),
    ]
    return lines + [f"limit: {limit}" for limit in card.limits]


def _generation(card: "ModelCard") -> str:
    """One line on how frames come about."""
    from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
    from lingbot_ros.model.scene.config import SceneConfig

    if isinstance(card.architecture, SceneConfig):
        scene = card.architecture
        return f"scene: {scene.keyframes} remembered views, {scene.sources} of them behind a frame, one frame at a time"
    if isinstance(card.architecture, RigidLayersConfig):
        layers = card.architecture
        return f"layers: {layers.layers}, of which {layers.driven} obeys the action; no network, one frame at a time"
    stream = card.stream
    return (
        f"stream: chunks of {stream.chunk} latent frame(s), attention window {stream.window}, of which the first "
        f"{stream.sink} stay; {card.sampler.forwards} forward pass(es) per chunk"
    )


def _download(args: argparse.Namespace) -> int:
    from lingbot_ros import compat
    from lingbot_ros.checkpoints.cards import find_card
    from lingbot_ros.errors import ErrorCode, ModelError

    if not compat.have("huggingface_hub"):
        raise ModelError(
            "download: the package huggingface_hub is not installed; use ./lingbot or run pip install huggingface_hub",
            ErrorCode.UNSUPPORTED,
        )
    from lingbot_ros.checkpoints.download import download_model

    download_model(find_card(args.name), lambda line: print(line, flush=True))
    return 0


def _verify(args: argparse.Namespace) -> int:
    from lingbot_ros.checkpoints.cards import find_card
    from lingbot_ros.checkpoints.files import locate
    from lingbot_ros.checkpoints.verify import (
        transformers_of,
        verify_checksums,
        verify_part,
        verify_transformer,
    )
    from lingbot_ros.model.config import TransformerConfig

    path = Path(args.path)
    if path.exists() and not (path / "card.yaml").is_file():
        if path.suffix in {".pth", ".pt", ".bin"}:
            print(f"{path}: {verify_part(path)}")
            return 0
        for name, files in transformers_of(path).items():
            print(f"{name}: {verify_transformer(files).text()}")
        return 0
    card = find_card(args.path)
    found = locate(card)
    for files in filter(None, (found.transformer, found.low_noise)):
        if isinstance(card.architecture, TransformerConfig):
            print(f"{files[0].parent}: {verify_transformer(files, card.architecture).text()}")
    for part in filter(None, (found.autoencoder, found.text_encoder)):
        print(f"{part}: {verify_part(part)}")
    everything = [*found.transformer, *found.low_noise, *filter(None, (found.autoencoder, found.text_encoder))]
    whole = [file for part in everything for file in ([part] if part.is_file() else sorted(part.glob("*.safetensors")))]
    compared = verify_checksums(whole, lambda file: print(f"checking {file.name}", file=sys.stderr, flush=True))
    print(f"{card.name}: complete{f'; {compared} files compared with their SHA-256' if compared else ''}")
    return 0
