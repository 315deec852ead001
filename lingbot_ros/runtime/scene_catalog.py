"""Which worlds could be loaded, and how a world is found by its address."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.home import expanded
from lingbot_ros.runtime.scene import Scene, read_scene
from lingbot_ros.sendable import require_path
from lingbot_ros.shared_files import shared_folders

SUFFIXES = (".yaml", ".yml")


class UnknownWorldError(LingbotError):
    """There is no such world."""

    code = ErrorCode.INVALID_INPUT


class FormatError(InputError):
    """The address names a file of another kind."""


@dataclass(frozen=True)
class SceneCatalog:
    """folder: the user's own worlds, besides those that come with the package; None = only these."""

    folder: Path | None = None

    def read(self, uri: str, *, strict: bool = False) -> Scene:
        """A world by `file://` address, path, `package://lingbot_ros/...`, or name without suffix in this catalog.

        Raises UnknownWorldError, FormatError, and what `read_scene` raises.
        """
        require_path("uri", uri)
        path = self._path(uri)
        if path.suffix not in SUFFIXES:
            raise FormatError("uri", f"'{uri}'", f"give a world of this package, a {SUFFIXES[0]} file")
        try:
            return read_scene(path, strict=strict)
        except OSError as error:
            known = ", ".join(world.name for world in self.worlds()) or "none"
            raise UnknownWorldError(f"uri: got '{uri}'; no such file; worlds by name: {known}") from error

    def worlds(self, more: Sequence[str] = ()) -> list[Scene]:
        """All readable worlds of the catalog and of the folders `more`, by name; the first one of a name is used.

        Raises InputError for an address that no folder can have, and for a folder that cannot be read.
        """
        found: dict[str, Scene] = {}
        others = [_local(require_path("additional_sources", source)) for source in more]
        for folder in [*self._folders(), *others]:
            for path in _listed(folder):
                try:
                    world = read_scene(path)
                except (InputError, OSError):
                    continue  # loading it by name says what is wrong with it
                found.setdefault(world.name, world)
        return [found[name] for name in sorted(found)]

    def _folders(self) -> Iterator[Path]:
        if self.folder is not None:
            yield self.folder
        yield from (folder / "worlds" for folder in shared_folders("config"))

    def _path(self, uri: str) -> Path:
        path = _local(uri)
        if path.suffix or len(path.parts) > 1:
            return path
        candidates = [folder / f"{uri}{suffix}" for folder in self._folders() for suffix in SUFFIXES]
        return next((candidate for candidate in candidates if candidate.is_file()), candidates[0])


def _listed(folder: Path) -> list[Path]:
    """The files of worlds in a folder; none where there is no such folder."""
    try:
        return sorted(folder.glob("*.y*ml")) if folder.is_dir() else []
    except OSError as error:
        raise InputError("folder of worlds", f"'{folder}'", f"it cannot be read ({error.strerror})") from error


def _local(uri: str) -> Path:
    """The path of an address. Raises FormatError for one that is none, or that is not on this machine."""
    try:
        parsed = urlparse(uri)
    except ValueError as error:
        raise FormatError("uri", f"'{uri}'", f"it is no address ({error}); give a path or file:///...") from error
    if parsed.scheme == "file":
        return Path(unquote(parsed.path))
    if parsed.scheme == "package" and parsed.netloc == "lingbot_ros":
        parts = Path(unquote(parsed.path).lstrip("/"))
        folders = shared_folders(parts.parts[0]) if parts.parts else iter(())
        return next((f.joinpath(*parts.parts[1:]) for f in folders if f.joinpath(*parts.parts[1:]).exists()), parts)
    if parsed.scheme:
        raise FormatError("uri", f"'{uri}'", "give a path, file:///..., package://lingbot_ros/... or a world's name")
    return expanded(uri, "uri")
