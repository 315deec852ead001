"""Where the parts of the private environment lie."""

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Every path that the set-up writes, from the root of the source tree. All but the lock are below `.venv`.

    The messages are installed into `.venv` itself, beside the ROS 2 wheels, so that `.venv/bin/python` of any terminal
    finds both without an environment variable.
    """

    root: Path

    @property
    def prefix(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.prefix / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        return self.prefix / "lib" / f"python{self.python_version}" / "site-packages"

    @property
    def python_version(self) -> str:
        """Of the running interpreter, which is the one the environment is made from, e.g. `3.11`."""
        return f"{sys.version_info.major}.{sys.version_info.minor}"

    @property
    def requirements(self) -> Path:
        return self.root / "lingbot_ros" / "environment" / "requirements"

    @property
    def localhost_profile(self) -> Path:
        """Of Fast DDS, for sockets that only this machine reaches."""
        return self.root / "config" / "fastdds_localhost.xml"

    @property
    def localhost_udp_profile(self) -> Path:
        """The same without shared memory."""
        return self.root / "config" / "fastdds_localhost_udp.xml"

    @property
    def private(self) -> Path:
        """Logs, the record of finished stages and the build tree of the messages."""
        return self.prefix / "lingbot"

    @property
    def record(self) -> Path:
        return self.private / "record.json"

    @property
    def lock(self) -> Path:
        return self.root / ".venv.lock"

    @property
    def discarded(self) -> Path:
        """Where an environment is moved before it is deleted, so that half of one never bears the real name."""
        return self.root / ".venv.discarded"
