"""The front of the `lingbot` command: choose the verb, parse its arguments, turn its errors into sentences."""

import argparse
import importlib
import os
import sys
from collections.abc import Iterable
from types import ModuleType

from lingbot_ros import __version__
from lingbot_ros.errors import InputError, LingbotError

VERBS = {
    "imagine": "imagine",
    "sim": "sim",
    "replay": "replay",
    "dataset": "dataset",
    "train": "train",
    "distill": "distill",
    "train-head": "train_head",
    "eval-model": "eval_model",
    "models": "models",
    "doctor": "doctor",
    "test": "test",
}
"""Each verb and its module in `lingbot_ros.cli.verbs`, in the order of the help. A new verb is a line and a module."""

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
    # Only the verb that is meant is imported; all of them are for the list in the help.
    wanted = arguments[:1] if arguments[:1] and arguments[0] in VERBS else VERBS
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


def _parser(verbs: Iterable[str]) -> tuple[argparse.ArgumentParser, dict[str, ModuleType]]:
    parser = argparse.ArgumentParser(
        prog="lingbot",
        description="A learned world model, live on ROS 2: shown one image, it imagines what actions lead to.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lingbot_ros {__version__}")
    choices = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    modules = {}
    for verb in verbs:
        module = importlib.import_module(f"lingbot_ros.cli.verbs.{VERBS[verb]}")
        module.add_arguments(choices.add_parser(verb, help=module.HELP))
        modules[verb] = module
    return parser, modules


if __name__ == "__main__":
    sys.exit(main())
