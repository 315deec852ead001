"""The environment variables under which ROS 2 wheels, our messages and nothing else are found."""

import os
from collections.abc import Mapping
from pathlib import Path

from lingbot_ros.environment.layout import Layout

BOOTSTRAP_GUARD = "_ROS_WHEELS_BOOTSTRAP_COMPLETE"
"""Set by the ROS 2 wheels once LD_LIBRARY_PATH is right. Another environment's Python must not inherit it."""

FASTDDS_PROFILES = "FASTDDS_DEFAULT_PROFILES_FILE"
FASTDDS_TRANSPORTS = "FASTDDS_BUILTIN_TRANSPORTS"
_RANGE, _THIS_MACHINE = "ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST"
REACH = (
    *(_RANGE, "ROS_STATIC_PEERS", "ROS_LOCALHOST_ONLY", "ROS_DISCOVERY_SERVER"),
    *(FASTDDS_PROFILES, "FASTRTPS_DEFAULT_PROFILES_FILE", "CYCLONEDDS_URI"),
)
"""With any of these the user says how far ROS 2 reaches."""
OWN_FOLDERS = "LINGBOT_PYTHONPATH"
"""Where the user's PYTHONPATH goes for the verbs, which look there last."""

_SEARCH_PATHS = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")


def foreign_prefixes(layout: Layout, variables: Mapping[str, str]) -> list[str]:
    """Install prefixes of other ROS 2 environments that were sourced in the user's shell."""
    named = [path for name in ("AMENT_PREFIX_PATH", "COLCON_PREFIX_PATH") for path in _split(variables.get(name, ""))]
    return [path for path in dict.fromkeys(named) if Path(path) != layout.prefix]


def workspace_variables(layout: Layout, variables: Mapping[str, str]) -> dict[str, str]:
    """The user's variables with this environment put in and every other ROS 2 environment taken out.

    ROS_DOMAIN_ID, RMW_IMPLEMENTATION and the other choices of the user stay as they are. Where none says how far
    ROS 2 reaches, it is this machine.

    Where it is this machine, Fast DDS gets a profile of this package: ROS 2 then ignores FASTDDS_BUILTIN_TRANSPORTS.
    """
    foreign = foreign_prefixes(layout, variables)
    result = {name: value for name, value in variables.items() if not name.startswith("COLCON_")}
    for name in ("PYTHONHOME", "__PYVENV_LAUNCHER__", BOOTSTRAP_GUARD):
        result.pop(name, None)
    for name in _SEARCH_PATHS:
        paths = _split(result.pop(name, ""))
        kept = [path for path in paths if not _is_below_any(path, [*foreign, str(layout.prefix)])]
        if kept:
            result[name] = os.pathsep.join(kept)
    chosen = {name: result[name] for name in REACH if name in result} or {_RANGE: _THIS_MACHINE}
    if chosen == {_RANGE: _THIS_MACHINE}:
        udp = result.get(FASTDDS_TRANSPORTS, "").startswith("UDP")
        result |= {**chosen, FASTDDS_PROFILES: str(layout.localhost_udp_profile if udp else layout.localhost_profile)}
    result["VIRTUAL_ENV"] = str(layout.prefix)
    result["PATH"] = os.pathsep.join([str(layout.prefix / "bin"), result.get("PATH", os.defpath)])
    result["AMENT_PREFIX_PATH"] = result["CMAKE_PREFIX_PATH"] = str(layout.prefix)
    return result


def program_variables(layout: Layout, variables: Mapping[str, str], verb: bool = False) -> dict[str, str]:
    """As `workspace_variables`, with the library path set, which saves the wheels a second start of the interpreter.

    verb: for a command of this package, whose packages no folder of the user may shadow.
    """
    result = workspace_variables(layout, variables)
    if verb and "PYTHONPATH" in result:
        result[OWN_FOLDERS] = result.pop("PYTHONPATH")
    libraries = [layout.prefix / "lib", *sorted(layout.site_packages.glob("ros_*.libs"))]
    result["LD_LIBRARY_PATH"] = os.pathsep.join([*map(str, libraries), *_split(result.get("LD_LIBRARY_PATH", ""))])
    result[BOOTSTRAP_GUARD] = "1"
    return result


def _split(value: str) -> list[str]:
    return [part for part in value.split(os.pathsep) if part]


def _is_below_any(path: str, prefixes: list[str]) -> bool:
    return any(Path(path).is_relative_to(prefix) for prefix in prefixes)
