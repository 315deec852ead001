"""`lingbot engines build`: plans of TensorRT, made before they are needed."""

import argparse
import sys
from pathlib import Path

from lingbot_ros.cli.engines.graphs import add_graph_arguments, asked_graphs, check_rows

PRECISIONS = ("f32", "f16", "bf16", "int8", "fp8")


def add_build_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the model, the library and what the plans are for."""
    add_graph_arguments(parser)
    parser.add_argument(
        "--engine",
        choices=("tensorrt", "tensorrt_rtx"),
        default="tensorrt_rtx",
        help="library to compile with; tensorrt_rtx needs no GPU for it (default %(default)s)",
    )
    add_plan_arguments(parser)
    parser.add_argument("--out", type=Path, help="folder (default: $LINGBOT_ENGINES, or in the user's cache)")


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """What `lingbot export --to tensorrt` has in common with `lingbot engines build`."""
    parser.add_argument("--precision", choices=PRECISIONS, help="default: f32 for ONNX, bf16 for TensorRT")
    parser.add_argument(
        "--targets",
        nargs="+",
        default=[],
        metavar="SM",
        help="tensorrt_rtx: GPUs to compile for by compute capability, e.g. SM86 SM89 SM120 (default: SM80 and later)",
    )
    parser.add_argument("--force", action="store_true", help="rebuild what exists")
    parser.add_argument("--verbose", action="store_true", help="show the library's full log")


def build(args: argparse.Namespace) -> int:
    """Compile every graph and print a line each."""
    import logging

    import torch

    from lingbot_ros.engine.tensorrt.engine import graph_dtype
    from lingbot_ros.engine.tensorrt.library import FLAVOURS, load_library, log_of, require_driver
    from lingbot_ros.engine.tensorrt.plans import PlanMaker
    from lingbot_ros.engine.tensorrt.progress import BuildProgress

    check_rows(args)
    flavour, precision = FLAVOURS[args.engine], args.precision or "bf16"
    if not flavour.builds_without_gpu:
        require_driver()
    trt = load_library(flavour)
    if args.verbose:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        log_of(trt).verbose = True
    maker = PlanMaker(flavour, trt, precision, tuple(args.targets), args.out)
    for label, graph in asked_graphs(args, graph_dtype(precision)):
        plan = maker.make(graph, BuildProgress(Bar(label)), args.force)
        print(f"{label}: {plan.path.parent}", flush=True)
    if not torch.cuda.is_available():
        print("compiled, not executed: there is no GPU here. The engine has a plan compute its probe when it loads it")
    return 0


class Bar:
    """A build's progress on one line of a terminal, and nothing elsewhere."""

    def __init__(self, label: str) -> None:
        self._label, self._last = label, -1

    def __call__(self, share: float, left_s: float) -> None:
        percent = int(100 * share)
        if percent == self._last or not sys.stderr.isatty():
            return
        self._last = percent
        end = "\r\x1b[K" if percent == 100 else ""
        print(
            f"\r\x1b[K{self._label}: {percent} %, about {left_s:.0f} s left{end}", end="", file=sys.stderr, flush=True
        )
