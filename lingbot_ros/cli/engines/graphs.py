"""What `lingbot export` and `lingbot engines build` work on: all graphs of a model, or of a head of a task."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from lingbot_ros.engine.interface import GraphSpec


def add_graph_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the model and which of its graphs."""
    parser.add_argument("name", help="name or folder of a model, or of a head of a task")
    parser.add_argument(
        "--rows",
        type=int,
        nargs="+",
        help="worlds in one forward, one graph each (default 1 8; released models, whose worlds run one by one: 1)",
    )
    parser.add_argument(
        "--light-decoder", type=Path, help="released models: this decoder of frames instead of the autoencoder's"
    )


def asked_graphs(args: argparse.Namespace, dtype: "torch.dtype") -> "Iterator[tuple[str, GraphSpec]]":
    """Every graph with a label. `dtype` is that of linears and caches. Raises InputError and ModelError."""
    from lingbot_ros.checkpoints.cards import find_card
    from lingbot_ros.checkpoints.files import locate
    from lingbot_ros.engine.onnx_engine import BATCHES
    from lingbot_ros.errors import InputError
    from lingbot_ros.tasks.registry import all_tasks
    from lingbot_ros.world.exported_graphs import all_graphs

    tasks = list(all_tasks())
    heads = [graph for task in tasks for rows in args.rows or BATCHES for graph in task.head_graphs(args.name, rows)]
    if heads:
        if args.light_decoder is not None:
            raise InputError("--light-decoder", args.light_decoder, "a head decodes nothing; leave it out")
        yield from ((f"{graph.name}, {graph.batch} row{'s' if graph.batch > 1 else ''}", graph) for graph in heads)
        return
    card = find_card(args.name)
    if args.light_decoder is not None and card.autoencoder == "pixel":
        raise InputError("--light-decoder", args.light_decoder, f"{card.name} makes pixels itself; leave it out")
    rows = args.rows or (BATCHES if card.autoencoder == "pixel" else (1,))
    yield from all_graphs(card, locate(card), rows, dtype, args.light_decoder)


def check_rows(args: argparse.Namespace) -> None:
    """Raise InputError for rows that no engine steps."""
    from lingbot_ros.engine.onnx_engine import BATCHES
    from lingbot_ros.errors import InputError

    for rows in args.rows or ():
        if rows not in BATCHES:
            raise InputError("--rows", rows, f"give {' or '.join(map(str, BATCHES))}")
