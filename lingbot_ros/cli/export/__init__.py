"""`lingbot export`: a model's graphs for an engine that needs them as files."""

import argparse
from pathlib import Path

from lingbot_ros.cli.engines.build import add_plan_arguments, build

HELP = "export a model for ONNX Runtime, or compile it for TensorRT"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the model, the format and where it goes."""
    parser.add_argument("name", help="model name or folder")
    parser.add_argument(
        "--to", choices=("onnx", "tensorrt", "tensorrt_rtx"), default="onnx", help="format (default %(default)s)"
    )
    add_plan_arguments(parser)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[1, 8], help="worlds per forward pass, one graph each (default 1 8)"
    )
    parser.add_argument(
        "--light-decoder", type=Path, help="released models: also export this decoder (default: the autoencoder's)"
    )
    parser.add_argument("--out", type=Path, help="folder (default: $LINGBOT_ENGINES, or in the user's cache)")
    parser.add_argument(
        "--episodes",
        type=int,
        default=8,
        help="for int8, fp8: held-out episodes on which the loss of quality is measured (default %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Export, have every graph compute its probe, and print a line each."""
    from lingbot_ros.engine.export.exported import QUANTISED_PRECISIONS
    from lingbot_ros.engine.onnx_engine import BATCHES
    from lingbot_ros.errors import InputError

    for rows in args.rows:
        if rows not in BATCHES:
            raise InputError("--rows", rows, f"give {' or '.join(map(str, BATCHES))}")
    if args.precision in QUANTISED_PRECISIONS:
        from lingbot_ros.cli.export.quantised import export_quantised

        code = export_quantised(args)
        if args.to == "onnx" or code != 0:
            return code
    elif args.to == "onnx":
        return _export_onnx(args)
    args.engine = args.to
    return build(args)


def _export_onnx(args: argparse.Namespace) -> int:
    from lingbot_ros.checkpoints.cards import find_card
    from lingbot_ros.checkpoints.files import locate
    from lingbot_ros.engine.interface import EngineOptions
    from lingbot_ros.engine.onnx_engine import OnnxEngine
    from lingbot_ros.errors import InputError
    from lingbot_ros.world.decoder_graphs import decoder_graphs
    from lingbot_ros.world.engine_choice import exported_graphs

    if args.precision not in (None, "f32"):
        raise InputError("--precision", args.precision, "ONNX Runtime computes in f32 or int8 on a CPU; use these")
    if args.targets:
        raise InputError("--targets", " ".join(args.targets), "they are TensorRT-RTX's: give --to tensorrt_rtx as well")
    engine = OnnxEngine(EngineOptions(engine="onnxruntime"))
    card = find_card(args.name)
    files = locate(card)
    networks = [graph for rows in args.rows for graph in exported_graphs(card, files, rows)]
    for graph in (*networks, *decoder_graphs(card, files, args.light_decoder)):
        print(f"{graph.name}, {graph.batch} row{'s' if graph.batch > 1 else ''}: ", end="", flush=True)
        print(engine.keep(graph, args.out), flush=True)
    return 0
