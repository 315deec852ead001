"""Finished rollouts on disk: one line each, only ever appended, so that a killed evaluation goes on where it was."""

import fcntl
import json
import os
import reprlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from lingbot_ros.errors import ErrorCode, InputError, ResourceError
from lingbot_ros.evaluate.rollouts.record import Rollout

SCHEMA = "lingbot.rollouts/1"


class RolloutStore:
    """An append-only file of rollouts below a header that says what they belong to. One writer at a time."""

    def __init__(self, path: Path, fingerprint: Mapping[str, Any]) -> None:
        """Open or create. Raises InputError if the file belongs to another evaluation or another program writes it,
        ResourceError if it cannot be written.
        """
        self.path = path
        self._done: dict[tuple[str, str], Rollout] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
        except OSError as error:
            raise self._disk(error) from error
        try:
            self._lock()
            self._read({"schema": SCHEMA, **fingerprint})
        except BaseException:
            self._file.close()
            raise

    @property
    def done(self) -> Mapping[tuple[str, str], Rollout]:
        """What is on disk, by policy and start."""
        return self._done

    def add(self, rollout: Rollout) -> None:
        """Append one; it survives a kill from now on. Raises InputError for one that is there, and ResourceError."""
        if rollout.key in self._done:
            raise InputError("rollout", rollout.key, "it is stored already")
        self._append(rollout.plain())
        self._done[rollout.key] = rollout

    def close(self) -> None:
        """Let others write."""
        self._file.close()

    def __enter__(self) -> "RolloutStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError("store", self.path, "another evaluation writes it; wait or use another folder") from error

    def _read(self, header: dict[str, Any]) -> None:
        self._file.seek(0)
        content = self._file.read()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):  # a line that a kill cut short
            self._file.truncate(len(whole))
        lines = whole.splitlines()
        if not lines:
            self._append(header)
            return
        found = self._parse(lines[0], 1)
        # What JSON makes of the header is what is compared: tuples become lists.
        difference = _first_difference(found, json.loads(json.dumps(header)))
        if difference is not None:
            fix = "it belongs to another evaluation; use another folder or remove it"
            raise InputError("store", f"{self.path}, in which {difference}", fix)
        for number, line in enumerate(lines[1:], 2):
            rollout = Rollout.from_plain(self._parse(line, number))
            self._done[rollout.key] = rollout

    def _parse(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            found = json.loads(line)
        except ValueError as error:
            raise InputError("store", f"{self.path}, line {number}", f"it is damaged ({error}); remove it") from error
        if not isinstance(found, dict):
            raise InputError("store", f"{self.path}, line {number}", "it is damaged; remove it")
        return found

    def _append(self, plain: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(plain, allow_nan=False).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._disk(error) from error

    def _disk(self, error: OSError) -> ResourceError:
        fix = "free some space or use another folder"
        return ResourceError(f"store: cannot write {self.path} ({error.strerror}); {fix}", ErrorCode.DISK)


def _first_difference(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str | None:
    """What differs first, as deep as both have names for it, in a few words; None where all that is wanted is there."""
    for name, value in wanted.items():
        other = found.get(name)
        if other == value:
            continue
        if isinstance(other, Mapping) and isinstance(value, Mapping):
            more = [key for key in other if key not in value]
            return _first_difference(other, value) or f"{name} has {', '.join(more)} besides"
        return f"{name} is {reprlib.repr(other)} and not {reprlib.repr(value)}"
    return None
