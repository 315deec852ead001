"""The front of the `lingbot` command: choose the verb, parse its arguments, turn its errors into sentences."""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from types import ModuleType

from lingbot_ros import __version__
from lingbot_ros.errors import InputError, LingbotError

BUILT_IN = {
    "imagine": "imagine",
    "sim": "sim",
    "replay": "replay",
    "dataset": "dataset",
    "train": "train",
    "distill": "distill",
    "train-head": "train_head",
    "eval-model": "eval_model",
    "evaluate": "evaluate",
    "gate": "gate",
    "models": "models",
    "engines": "engines",
    "export": "export",
    "bench": "bench",
    "doctor": "doctor",
    "test": "test",
}
"""Each verb and its package in `lingbot_ros.cli`, in the order of the help."""

VERB_GROUP = "lingbot_ros.verbs"
"""Entry points by which an installed package adds verbs of its own: `name = package.module`, a module like ours."""

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130

_EPILOG = """\
Two more that only the start script has:
  ./lingbot python FILE ...    run a program of yours in this environment
  eval "$(./lingbot env)"      make a shell's own python and colcon those of this environment
"""


def main(arguments: list[str] | None = None) -> int:
    """Run a command line (without the program's name) and return its exit code.

    0 success, 1 failure, 2 unusable input, 130 interrupted; of an expected error one sentence goes to stderr.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    verbs = find_verbs()
    # Only the verb that is meant is imported; all of them are for the list in the help.
    wanted = {arguments[0]: verbs[arguments[0]]} if arguments and arguments[0] in verbs else verbs
    parser, modules = _parser(wanted)
    args = parser.parse_args(arguments)
    try:
        return int(modules[args.verb].run(args))
    except LingbotError as error:
        print(f"lingbot {args.verb}: {error}", file=sys.stderr)
        return BAD_INPUT if isinstance(error, InputError) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, e.g. `head`, has seen enough. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def find_verbs() -> dict[str, str]:
    """Every verb and the module that has its `HELP`, `add_arguments(parser)` and `run(args) -> int`.

    Such a module imports at its top only the standard library and the rest in `run`, so that help is instant.
    """
    verbs = {name: f"lingbot_ros.cli.{package}" for name, package in BUILT_IN.items()}
    added = {point.name: point.value for point in entry_points(group=VERB_GROUP)}
    return {**added, **verbs}


def _parser(verbs: Mapping[str, str]) -> tuple[argparse.ArgumentParser, dict[str, ModuleType]]:
    parser = argparse.ArgumentParser(
        prog="lingbot",
        description="A learned world model, live on ROS 2: shown one image, it imagines what actions lead to.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lingbot_ros {__version__}")
    choices = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    modules = {}
    for verb, path in verbs.items():
        module = importlib.import_module(path)
        module.add_arguments(choices.add_parser(verb, help=module.HELP))
        modules[verb] = module
    return parser, modules


if __name__ == "__main__":
    sys.exit(main())
