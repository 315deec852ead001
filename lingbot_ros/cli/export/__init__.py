"""`lingbot export`: a model's graphs for an engine that needs them as files."""

import argparse
from pathlib import Path

HELP = "export a model's graphs to ONNX, so that engine onnxruntime, and auto, can run it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the model and where it goes."""
    parser.add_argument("name", help="model name or folder")
    parser.add_argument("--to", choices=("onnx",), default="onnx", help="format (default %(default)s)")
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[1, 8], help="worlds in one forward, one graph each (default 1 8)"
    )
    parser.add_argument(
        "--light-decoder", type=Path, help="released models: also export this decoder (default: the autoencoder's)"
    )
    parser.add_argument("--out", type=Path, help="folder (default: $LINGBOT_ENGINES, or in the user's cache)")


def run(args: argparse.Namespace) -> int:
    """Export, have every graph compute its probe, and print a line each."""
    from lingbot_ros.checkpoints.cards import find_card
    from lingbot_ros.checkpoints.files import locate
    from lingbot_ros.engine.interface import EngineOptions
    from lingbot_ros.engine.onnx_engine import BATCHES, OnnxEngine
    from lingbot_ros.errors import InputError
    from lingbot_ros.world.decoder_graphs import decoder_graphs
    from lingbot_ros.world.engine_choice import exported_graphs

    engine = OnnxEngine(EngineOptions(engine="onnxruntime"))
    for rows in args.rows:
        if rows not in BATCHES:
            raise InputError("--rows", rows, f"give {' or '.join(map(str, BATCHES))}")
    card = find_card(args.name)
    files = locate(card)
    networks = [graph for rows in args.rows for graph in exported_graphs(card, files, rows)]
    for graph in (*networks, *decoder_graphs(card, files, args.light_decoder)):
        print(f"{graph.name}, {graph.batch} row{'s' if graph.batch > 1 else ''}: ", end="", flush=True)
        print(engine.keep(graph, args.out), flush=True)
    return 0
