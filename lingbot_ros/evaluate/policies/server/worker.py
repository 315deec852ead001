"""Plays one policy in the Python environment that the policy needs. Run as a file by that environment's Python.

That environment needs NumPy, websockets and msgpack. It need not have this package: the code is taken from where this
file lies, and nothing else of the evaluator's environment is seen. The worker tells its port on standard output, and
ends when its standard input does, hence also when the evaluator is killed.
"""

import json
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

_NEEDED = ("numpy", "websockets", "msgpack")
_OLDEST = (3, 11)


def main(arguments: list[str]) -> int:
    """`--check` tells in one line on standard error what is missing (exit code 2); else serves until input ends.

    The last argument is JSON: entry_point `module:factory`, config (its keywords), folder (looked in for the module).
    """
    check, order = arguments[:-1] == ["--check"], json.loads(arguments[-1])
    sys.path.insert(0, order["folder"])
    missing = _missing(order["entry_point"].partition(":")[0])
    if missing:
        print(missing, file=sys.stderr)
        return 2
    if not check:
        _find_own_package()
        from lingbot_ros.evaluate.policies.server.worker_loop import serve_until_input_ends  # noqa: PLC0415

        serve_until_input_ends(order["entry_point"], order["config"])
    return 0


def _missing(module: str) -> str:
    if sys.version_info < _OLDEST:
        return f"it is Python {sys.version.split()[0]}; use {'.'.join(map(str, _OLDEST))} or newer"
    packages = [name for name in _NEEDED if find_spec(name) is None]
    if packages:
        return f"run `{sys.executable} -m pip install {' '.join(packages)}`"
    top = module.partition(".")[0]
    if top != "lingbot_ros" and find_spec(top) is None:
        return f"it cannot import {top}; install it there, or put it beside the file of policies"
    if module.endswith("lerobot_folder") and find_spec("lerobot") is None:
        return f"run `{sys.executable} -m pip install lerobot`"
    return ""


def _find_own_package() -> None:
    """Make `lingbot_ros` importable without the folder around it, in which packages of another Python may lie."""
    folder = Path(__file__).resolve().parents[3]
    spec = spec_from_file_location("lingbot_ros", folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None and spec.loader is not None
    package = module_from_spec(spec)
    sys.modules["lingbot_ros"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    sys.path.pop(0)  # the folder of this file, whose modules are no top-level ones
    sys.exit(main(sys.argv[1:]))
