"""Entry point of the `lingbot` command: select the verb, parse its arguments, print its errors."""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from types import ModuleType

from lingbot_ros import __version__
from lingbot_ros.cli.streams import lasting_output, open_missing_streams
from lingbot_ros.environment.signals import ENDING
from lingbot_ros.environment.variables import OWN_FOLDERS
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
    "plan": "plan",
    "models": "models",
    "setup": "setup",
    "engines": "engines",
    "export": "export",
    "bench": "bench",
    "calibrate": "calibrate",
    "doctor": "doctor",
    "docs": "docs",
    "test": "test",
}
"""Each verb and its package in `lingbot_ros.cli`, in the order of the help."""

VERB_GROUP = "lingbot_ros.verbs"
"""Entry points with which an installed package adds verbs: `name = package.module`, see `find_verbs`."""

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130

_EPILOG = """\
Only with the start script ./lingbot:
  ./lingbot --network VERB     let other machines of the network take part (otherwise: this machine only)
  ./lingbot python FILE ...    run your own program in this environment
  eval "$(./lingbot env)"      use python and colcon of this environment in the current shell
"""


def main(arguments: list[str] | None = None) -> int:
    """Run a command line (without the program's name) and return its exit code.

    Exit codes: 0 success, 1 failure, 2 invalid input, 130 interrupted. An expected error prints one line to stderr.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)  # `./lingbot` has held them back until here
        open_missing_streams()
        _append_own_folders()
        with lasting_output() as output:
            code = _run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    if output.error is None or isinstance(output.error, BrokenPipeError):
        return code  # a reader such as `head` closed the pipe: it has what it wanted
    print(f"lingbot: the output could not be written: {output.error.strerror}", file=sys.stderr)
    return code or FAILED


def _append_own_folders() -> None:
    """The folders of PYTHONPATH, which `./lingbot` keeps apart, last: a numpy in one of them must not be ours."""
    own = os.environ.get(OWN_FOLDERS, "").split(os.pathsep)
    sys.path += [folder for folder in own if folder and folder not in sys.path]


def _run(arguments: list[str]) -> int:
    verbs = find_verbs()
    # Import only the requested verb; the help needs all of them.
    wanted = {arguments[0]: verbs[arguments[0]]} if arguments and arguments[0] in verbs else verbs
    parser, modules = _parser(wanted)
    args = parser.parse_args(arguments)
    try:
        return int(modules[args.verb].run(args))
    except LingbotError as error:
        print(f"lingbot {args.verb}: {error}", file=sys.stderr)
        return BAD_INPUT if isinstance(error, InputError) else FAILED


def find_verbs() -> dict[str, str]:
    """Every verb and the module that has its `HELP`, `add_arguments(parser)` and `run(args) -> int`.

    Such a module has only light imports at its top and imports the rest in `run`, so that the help is fast.
    """
    verbs = {name: f"lingbot_ros.cli.{package}" for name, package in BUILT_IN.items()}
    added = {point.name: point.value for point in entry_points(group=VERB_GROUP)}
    return {**added, **verbs}


def _parser(verbs: Mapping[str, str]) -> tuple[argparse.ArgumentParser, dict[str, ModuleType]]:
    parser = argparse.ArgumentParser(
        prog="lingbot",
        description="A learned world model on ROS 2: from one image it predicts the frames that your actions lead to.",
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
