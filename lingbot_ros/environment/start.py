"""What the start script `./lingbot` runs: make sure that the environment is there, then become the program in it."""

import errno
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import NoReturn

from lingbot_ros.environment.failure import SetupError
from lingbot_ros.environment.interpreter import isolated_module
from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.setup import bring_up_to_date
from lingbot_ros.environment.signals import ENDING
from lingbot_ros.environment.stages import stages
from lingbot_ros.environment.variables import REACH, foreign_prefixes, program_variables, workspace_variables

_EXPORTED = ("PATH", "VIRTUAL_ENV", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH")
_NETWORK = "--network"
_INTERRUPTED = 130
_NEED_SIMULATOR = (["sim"], ["test"])


def main(root: str, arguments: list[str]) -> NoReturn:
    """Forward to `lingbot ARGUMENTS`; `python ...` and `env` are answered here: they need only the environment.

    Before them, `--network` has ROS 2 reach the network, where the user's variables do not say otherwise.
    """
    layout = Layout(Path(root))
    if arguments[:1] == [_NETWORK]:
        arguments = arguments[1:]
        os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    try:
        # A closed terminal and a kill end the set-up as Ctrl-C does: with what it has started. The exec below resets
        # them; what is ignored, as under nohup, stays so.
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signal.default_int_handler)
        bring_up_to_date(layout, stages(layout, simulator=arguments[:1] in _NEED_SIMULATOR))
    except SetupError as error:
        sys.exit(f"lingbot: {error}")
    except OSError as error:
        sys.exit(f"lingbot: {_explain(error, layout)}")
    except KeyboardInterrupt:
        print("lingbot: set-up stopped; run the same command to resume", file=sys.stderr)
        sys.exit(_INTERRUPTED)
    if arguments[:1] == ["env"]:
        print(shell_exports(layout))
        sys.exit(0)
    _mention_other_ros(layout)
    verb = arguments[:1] != ["python"]
    if verb:  # Python would end in a traceback while it begins; `lingbot_ros.cli.main` takes them up
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    tail = isolated_module("lingbot_ros.cli.main", *arguments) if verb else arguments[1:]
    os.execve(layout.python, [str(layout.python), *tail], program_variables(layout, os.environ, verb))


def shell_exports(layout: Layout) -> str:
    """Lines for `eval "$(./lingbot env)"`, after which `python` and `colcon` are those of the environment.

    LD_LIBRARY_PATH is left out: each Python of the environment sets it for itself, and other programs must not see it.
    """
    variables = workspace_variables(layout, os.environ)
    names = [*_EXPORTED, *(name for name in REACH if name in variables)]
    exports = [f"export {name}={shlex.quote(variables[name])}" for name in names]
    python_path = variables.get("PYTHONPATH")
    exports.append(f"export PYTHONPATH={shlex.quote(python_path)}" if python_path else "unset PYTHONPATH")
    return "\n".join(exports)


def _mention_other_ros(layout: Layout) -> None:
    """Say what of the user's ROS settings is not, or cannot be, honoured."""
    foreign = foreign_prefixes(layout, os.environ)
    if foreign:
        print(f"lingbot: note: {foreign[0]} is sourced but not used; ./lingbot has its own ROS 2", file=sys.stderr)
    rmw = os.environ.get("RMW_IMPLEMENTATION")
    if rmw and not (layout.prefix / "lib" / f"lib{rmw}.so").exists():
        print(
            f"lingbot: warning: RMW_IMPLEMENTATION={rmw} is not in this environment, which has rmw_fastrtps_cpp: "
            "unset it; DDS implementations understand each other",
            file=sys.stderr,
        )


def _explain(error: OSError, layout: Layout) -> str:
    where = error.filename or layout.prefix
    if error.errno == errno.ENOSPC:
        return f"no space left on the disk at {where}: free some and run again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"cannot write {where} ({error.strerror}): clone into a folder of your own"
    return f"cannot set up: {error}"
