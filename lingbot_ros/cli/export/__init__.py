"""`lingbot export`: a model's graphs for an engine that needs them as files."""

import argparse
from pathlib import Path

from lingbot_ros.cli.engines.build import add_plan_arguments, build
from lingbot_ros.cli.engines.graphs import add_graph_arguments, asked_graphs, check_rows

HELP = "export a model for ONNX Runtime, or compile it for TensorRT"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the model, the format and where it goes."""
    add_graph_arguments(parser)
    parser.add_argument(
        "--to", choices=("onnx", "tensorrt", "tensorrt_rtx"), default="onnx", help="format (default %(default)s)"
    )
    add_plan_arguments(parser)
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

    check_rows(args)
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
    import torch

    from lingbot_ros.engine.interface import EngineOptions
    from lingbot_ros.engine.onnx_engine import OnnxEngine
    from lingbot_ros.errors import InputError

    if args.precision not in (None, "f32"):
        raise InputError("--precision", args.precision, "ONNX Runtime computes in f32 or int8 on a CPU; use these")
    if args.targets:
        raise InputError("--targets", " ".join(args.targets), "they are TensorRT-RTX's: give --to tensorrt_rtx as well")
    engine = OnnxEngine(EngineOptions(engine="onnxruntime"))
    for label, graph in asked_graphs(args, torch.float32):
        print(f"{label}: ", end="", flush=True)
        print(engine.keep(graph, args.out), flush=True)
    return 0
