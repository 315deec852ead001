"""What `lingbot export` and `lingbot engines build` work on: all graphs of a model, or of a head of a task."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lingbot_ros.cli.model_arguments import add_model_arguments, given_options, of_argument
from lingbot_ros.errors import InputError
from lingbot_ros.model_options import GRAPH_OPTIONS

if TYPE_CHECKING:
    import torch

    from lingbot_ros.checkpoints.cards import ModelCard
    from lingbot_ros.engine.interface import GraphSpec
    from lingbot_ros.world import LoadOptions


def add_graph_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the model and which of its graphs."""
    parser.add_argument("name", help="name or folder of a model, or of a head of a task")
    parser.add_argument(
        "--rows",
        type=int,
        nargs="+",
        help="worlds in one forward, one graph each (default 1 8; released models, whose worlds run one by one: 1)",
    )
    otherwise = "give those with which the model will be loaded; what is not given is the card's"
    add_model_arguments(parser, otherwise, name=False, only=GRAPH_OPTIONS)


def asked_card(args: argparse.Namespace) -> "tuple[ModelCard, LoadOptions]":
    """The card of the named model with the size, window and so on that were asked for, and these options.

    Raises InputError and ModelError.
    """
    from lingbot_ros.checkpoints.cards import find_card
    from lingbot_ros.world import LoadOptions
    from lingbot_ros.world.adapted_card import adapted_card

    card = find_card(args.name)
    try:
        options = LoadOptions.from_plain({"name": args.name, **given_options(args, GRAPH_OPTIONS)})
        return adapted_card(card, options), options
    except InputError as error:
        if error.field in GRAPH_OPTIONS:
            raise of_argument(error) from error
        raise


def asked_graphs(args: argparse.Namespace, dtype: "torch.dtype") -> "Iterator[tuple[str, GraphSpec]]":
    """Every graph with a label. `dtype` is that of linears and caches. Raises InputError and ModelError."""
    from lingbot_ros.checkpoints.files import locate
    from lingbot_ros.engine.onnx_engine import BATCHES
    from lingbot_ros.tasks.registry import all_tasks
    from lingbot_ros.world.exported_graphs import all_graphs

    tasks = list(all_tasks())
    heads = [graph for task in tasks for rows in args.rows or BATCHES for graph in task.head_graphs(args.name, rows)]
    if heads:
        for name, value in given_options(args, GRAPH_OPTIONS).items():
            raise of_argument(InputError(name, value, f"{args.name} is a head; leave it out"))
        yield from ((f"{graph.name}, {graph.batch} row{'s' if graph.batch > 1 else ''}", graph) for graph in heads)
        return
    card, options = asked_card(args)
    rows = args.rows or (BATCHES if card.autoencoder == "pixel" else (1,))
    yield from all_graphs(card, locate(card), rows, dtype, options.light_decoder)


def check_rows(args: argparse.Namespace) -> None:
    """Raise InputError for rows that no engine steps."""
    from lingbot_ros.engine.onnx_engine import BATCHES

    for rows in args.rows or ():
        if rows not in BATCHES:
            raise InputError("--rows", rows, f"give {' or '.join(map(str, BATCHES))}")
