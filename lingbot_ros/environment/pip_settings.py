"""What of the user's pip settings counts: where packages come from, not where they go or what else pip may do."""

import ast
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lingbot_ros.environment.failure import SetupError

SOURCES = (
    "index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert", "client-cert", "proxy", "timeout",
    "default-timeout", "retries", "cache-dir", "no-cache-dir", "keyring-provider", "use-feature", "use-deprecated",
)  # fmt: skip
"""Of indexes, the network and the cache. Settings such as target, prefix, user, python, dry-run and constraint are not
for this environment, whose versions are fixed by its own lists."""

_DROPPED = ("PYTHONPATH", "PYTHONHOME", "_ROS_WHEELS_BOOTSTRAP_COMPLETE")

_WHOLE_LIST = {"PIP_USER": "0", "PIP_GLOBAL": "0", "PIP_SITE": "0", "_PIP_RUNNING_IN_SUBPROCESS": "1"}
"""Settings count for `pip config` itself: `user` would have it list one file only, and `python` run it elsewhere."""


def pip_variables(python: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """The user's variables for a pip that reads no configuration file; its sources are handed over as variables."""
    kept = {name: value for name, value in variables.items() if name not in _DROPPED and not name.startswith("PIP_")}
    asking = {name: value for name, value in variables.items() if _is_source(name) or name == "PIP_CONFIG_FILE"}
    asking |= _WHOLE_LIST
    command: list[str | Path] = [python, "-m", "pip", "config", "list", "--disable-pip-version-check"]
    asked = subprocess.run(
        command, check=False, capture_output=True, text=True, encoding="utf-8", errors="replace", env=kept | asking
    )
    if asked.returncode:
        reason = (asked.stderr.strip() or "no reason given").splitlines()[-1]
        raise SetupError(f"pip cannot read its configuration: {reason}; look at PIP_CONFIG_FILE and `pip config debug`")
    return {**kept, **_sources(asked.stdout), "PIP_CONFIG_FILE": os.devnull}


def _sources(listed: str) -> dict[str, str]:
    """The sources among lines such as `install.find-links='/a\\n/b'`, where variables come before `install`."""
    found: dict[str, tuple[int, str]] = {}
    for line in listed.splitlines():
        key, is_setting, value = line.partition("=")
        section, _, name = key.rpartition(".")
        rank = {"global": 0, "install": 1, ":env:": 2}.get(section, -1)
        if is_setting and name in SOURCES and rank >= found.get(name, (0, ""))[0]:
            found[name] = rank, str(ast.literal_eval(value))
    return {f"PIP_{name.upper().replace('-', '_')}": value for name, (_, value) in found.items()}


def _is_source(variable: str) -> bool:
    return variable.startswith("PIP_") and variable[4:].lower().replace("_", "-") in SOURCES
