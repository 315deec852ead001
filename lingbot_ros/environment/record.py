"""What has been set up, in a file that is replaced whole, so that an interruption never leaves half a record."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Record:
    """`done` maps a finished stage to the key of its inputs; `running` names a stage that has begun and not ended."""

    done: dict[str, str] = field(default_factory=dict)
    running: str | None = None

    @classmethod
    def read(cls, path: Path) -> "Record | None":
        """The record, or None where there is none that can be read."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(done=dict(data["done"]), running=data["running"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Replace the file; it is on disk, complete, when this returns."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        with open(fresh, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)

    def begin(self, stage: str, path: Path) -> None:
        """Note that a stage is being worked on: it counts as not done until `finish`."""
        self.done.pop(stage, None)
        self.running = stage
        self.write(path)

    def abandon(self, path: Path) -> None:
        """Note that the stage stopped before it changed anything."""
        self.running = None
        self.write(path)

    def finish(self, stage: str, key: str, path: Path) -> None:
        """Note that a stage is complete for these inputs."""
        self.done[stage] = key
        self.running = None
        self.write(path)
