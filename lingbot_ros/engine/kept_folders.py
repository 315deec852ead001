"""Folders that are written whole or not at all, know what they were made of, and tell when they were changed."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lingbot_ros.environment.lock import exclusive
from lingbot_ros.errors import EngineError, ErrorCode

KEY, DIGEST = "key.json", "sha256"

_CHUNK = 1 << 24


def name_of(key: Mapping[str, str]) -> str:
    """The name of a key's folder."""
    digest = hashlib.sha256(json.dumps(dict(key), sort_keys=True).encode()).hexdigest()[:16]
    return f"{key['graph']}-{key['batch']}-{digest}"


def write_folder(folder: Path, key: Mapping[str, str], fill: Callable[[Path], None]) -> None:
    """Have `fill` write the files into a folder beside its place and move it there.

    Nobody ever reads half of one, and what a killed writer left behind is removed. Raises EngineError if it cannot be
    written.
    """
    beside: tempfile.TemporaryDirectory[str] | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(folder)
        prefix = f".{folder.name}.{os.getpid()}."
        beside = tempfile.TemporaryDirectory(prefix=prefix, dir=folder.parent, ignore_cleanup_errors=True)
        making = Path(beside.name) / "whole"
        making.mkdir()
        fill(making)
        (making / DIGEST).write_text(_digest(making), encoding="utf-8")
        (making / KEY).write_text(json.dumps(dict(key), indent=1), encoding="utf-8")
        for path in making.iterdir():
            _flush(path)
        if folder.exists():
            folder.rename(Path(beside.name) / "before")
        making.rename(folder)
    except OSError as error:
        raise EngineError(
            f"engine: cannot write {folder} ({error.strerror}); free space there, or name another folder",
            ErrorCode.DISK,
        ) from error
    finally:
        if beside is not None:
            beside.cleanup()


def check_folder(folder: Path, key: Mapping[str, str]) -> None:
    """Raise ValueError saying what is wrong, unless the folder was made of `key` and is as it was written.

    Also raises OSError for a folder that cannot be read.
    """
    found = json.loads((folder / KEY).read_text(encoding="utf-8"))
    if differing := differences(found, key):
        raise ValueError(f"differs in {differing}")
    if (folder / DIGEST).read_text(encoding="utf-8") != _digest(folder):
        raise ValueError("its files were changed")


def differences(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """The fields of two keys that are not equal, with both values; empty if all are."""
    names = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
    return ", ".join(f"{name} ({found.get(name, 'none')}, wanted {wanted.get(name, 'none')})" for name in names)


@contextmanager
def one_writer(folder: Path, when_busy: Callable[[], None]) -> Iterator[None]:
    """Hold the folder's lock, so that two programs do not build the same; it ends with the process that holds it."""
    with ExitStack() as held:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(exclusive(folder.parent / f".{folder.name}.lock", when_busy))
        except OSError as error:
            raise EngineError(
                f"engine: cannot write to {folder.parent} ({error.strerror}); name another folder", ErrorCode.DISK
            ) from error
        yield


def _remove_leftovers(folder: Path) -> None:
    for path in folder.parent.glob(f".{folder.name}.*"):
        owner = path.name.removeprefix(f".{folder.name}.").partition(".")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(path, ignore_errors=True)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.name not in (KEY, DIGEST):
            digest.update(f"{path.name} {path.stat().st_size}\n".encode())
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
    return digest.hexdigest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
