"""The stages of the set-up, in order. A stage is done again when the key of its inputs changes, and only then."""

import hashlib
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lingbot_ros.environment.failure import SetupError
from lingbot_ros.environment.interpreter import isolated_module
from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.machine import missing_for_messages, missing_for_packages
from lingbot_ros.environment.messages import PACKAGES, SIMULATOR_PACKAGES, build_messages, interface_files
from lingbot_ros.environment.packages import Installer
from lingbot_ros.environment.progress import Progress

_FORMAT = 1
"""Of everything below. Raising it makes every user's environment anew."""


@dataclass(frozen=True)
class Stage:
    """`key` identifies the inputs; `missing` names what the machine lacks for it; `work` does it.

    Where a stage that installs packages was interrupted, half a package may lie about that pip takes for a whole one:
    `fragile` has the environment made anew.
    """

    name: str
    title: str
    key: str
    missing: Callable[[], list[str]]
    work: Callable[[Installer, Progress, int], None]
    fragile: bool


def stages(layout: Layout, simulator: bool = False) -> list[Stage]:
    """All stages. Cheap: it reads the lists and interface files, and starts nothing.

    simulator: with the standard simulator interfaces, whose compilation only those who use them should wait for.
    """
    lists = layout.requirements
    constraints = lists / "constraints.txt"

    def packages() -> list[str]:
        return missing_for_packages(layout.root)

    def install_libraries(installer: Installer, _progress: Progress, _lock: int) -> None:
        installer.install(["-c", constraints, "-r", lists / "libraries.txt"], "libraries")
        installer.install(["--no-deps", "-r", lists / "alone.txt"], "alone")

    def compiled(name: str, title: str, folders: Sequence[str]) -> Stage:
        return Stage(
            name,
            title,
            _hash([*interface_files(layout.root, folders), lists / "ros.txt", constraints]),
            missing_for_messages,
            lambda installer, progress, lock: build_messages(layout, folders, name, installer, progress, lock),
            fragile=False,
        )

    optional = [compiled("simulator", "simulator interfaces (compiling)", SIMULATOR_PACKAGES)] if simulator else []
    return [
        Stage(
            "environment",
            "Python environment",
            f"{_FORMAT} {layout.python_version} {layout.root}",
            packages,
            lambda _installer, _progress, _lock: _make_environment(layout),
            fragile=True,
        ),
        Stage(
            "ros",
            "ROS 2 packages",
            _hash([lists / "ros.txt", constraints]),
            packages,
            lambda installer, _progress, _lock: installer.install(["-c", constraints, "-r", lists / "ros.txt"], "ros"),
            fragile=True,
        ),
        Stage(
            "torch",
            "PyTorch",
            _hash([lists / "torch.txt", constraints]),
            packages,
            lambda installer, _progress, _lock: installer.install_torch(),
            fragile=True,
        ),
        Stage(
            "libraries",
            "libraries and tools",
            _hash([lists / "libraries.txt", lists / "alone.txt", constraints]),
            packages,
            install_libraries,
            fragile=True,
        ),
        compiled("messages", "ROS 2 messages (compiling)", PACKAGES),
        *optional,
    ]


def _hash(paths: Iterable[Path]) -> str:
    """Over names and contents, so that a renamed message counts as a change."""
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.parent.name}/{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _make_environment(layout: Layout) -> None:
    """Make the virtual environment; its Python finds `lingbot_ros` in the source tree, as in an editable install."""
    # The interpreter beneath: this one may itself be that of the environment's forerunner, which is gone by now.
    base: str = sys._base_executable  # type: ignore[attr-defined]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    made = subprocess.run(
        [base, "-m", "venv", layout.prefix],
        check=False,
        capture_output=True,
        text=True,
        env=clean,
        encoding="utf-8",
        errors="replace",
    )
    if made.returncode != 0:
        raise SetupError(f"cannot make a virtual environment with {base}: {(made.stdout + made.stderr).strip()}")
    (layout.site_packages / "lingbot_ros.pth").write_text(f"{layout.root}\n", encoding="utf-8")
    command = layout.prefix / "bin" / "lingbot"
    run = shlex.join(isolated_module("lingbot_ros.cli.main"))
    command.write_text(f'#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/python" {run} "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    _show_to_ament(layout)


def _show_to_ament(layout: Layout) -> None:
    """Register the source tree as the installed package `lingbot_ros`, by links, so that nothing can go stale."""
    marker = layout.prefix / "share" / "ament_index" / "resource_index" / "packages" / "lingbot_ros"
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()
    share = layout.prefix / "share" / "lingbot_ros"
    share.mkdir(exist_ok=True)
    for name in ("package.xml", "launch", "config", "models"):
        link = share / name
        link.unlink(missing_ok=True)
        link.symlink_to(layout.root / name)
