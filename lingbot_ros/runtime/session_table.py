"""The sessions that live on one world: which exist, which is active, how many may be."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.control.rays import stretch_intrinsics
from lingbot_ros.errors import ErrorCode, InputError, ResourceError, SessionError, SnapshotError
from lingbot_ros.runtime.intrinsics import CameraDefaults, Intrinsics, focal_and_centre, part_used, scale_intrinsics
from lingbot_ros.runtime.records import SavedSession, SessionView, StartRequest, stamp_after
from lingbot_ros.runtime.served_session import Image, ServedSession, checked_outside
from lingbot_ros.sendable import (
    MAX_SEED,
    MAX_STAMP_NS,
    NAME_BYTES,
    PROMPT_BYTES,
    require_path,
    require_text,
    require_whole,
)
from lingbot_ros.world import Snapshot, World, remove_leftovers


@dataclass(frozen=True)
class Limits:
    """sessions: how many may live at once. memory_bytes: what their state may take together, 0 = no limit.

    requests: how many calls, and how many rollouts, may wait for the generator.
    """

    sessions: int = 8
    memory_bytes: int = 0
    requests: int = 256


class SessionTable:
    """All calls come from the thread that owns the world. A call that raises has changed nothing."""

    def __init__(
        self, world: World, limits: Limits, snapshot_folder: Path, camera: CameraDefaults, owner: str = ""
    ) -> None:
        self._world, self._limits, self._folder = world, limits, snapshot_folder.resolve()
        self._camera, self._owner = camera, owner
        self._sessions: dict[str, ServedSession] = {}
        self._made = 0
        remove_leftovers(self._folder)
        self.active_id = ""

    def get(self, session_id: str) -> ServedSession:
        """The live session of that id, "" for the active one. Raises SessionError (UNKNOWN_SESSION)."""
        wanted = session_id or self.active_id
        if not wanted:
            raise SessionError(
                "session_id: empty, and no session is active; start one first", ErrorCode.UNKNOWN_SESSION
            )
        if wanted not in self._sessions:
            known = ", ".join(self._sessions) or "none"
            raise SessionError(f"session_id: got '{wanted}'; live sessions: {known}", ErrorCode.UNKNOWN_SESSION)
        served = self._sessions[wanted]
        served.used_s = time.monotonic()
        return served

    @property
    def active(self) -> ServedSession | None:
        return self._sessions.get(self.active_id)

    def start(self, request: StartRequest) -> ServedSession:
        """A new session. One of the same id, or with `replace_active` the active one, ends when the new one is open."""
        leaving = {request.session_id} & self._sessions.keys()
        if request.replace_active and self.active_id:
            leaving.add(self.active_id)
        self._require_room(len(leaving))
        _require_lease(request.lease_s)
        require_text("session_id", request.session_id, NAME_BYTES)
        require_text("prompt", request.prompt, PROMPT_BYTES)
        require_whole("seed", request.seed, 0, MAX_SEED)
        require_whole("start_stamp", request.start_stamp_ns, 0, MAX_STAMP_NS)
        image = request.image
        if image is None and (image := self._world.seed_image()) is None:
            raise InputError("image", "empty data", f"give a first image: {self._world.info.name} has no example")
        info, given_size = self._world.info, (image.shape[0], image.shape[1])
        image, seen = part_used(image, request.intrinsics, (info.height, info.width), info.fit)
        intrinsics, unit_step = None, None
        if info.control.kind == "camera":
            intrinsics, unit_step = self._camera_of(seen, image), self._camera.unit_step
        elif request.start_pose is not None:
            fix = f"leave it at the identity: {info.name} is driven by actions, its camera does not move"
            raise InputError("start_pose", request.start_pose[:3, 3].tolist(), fix)
        session = self._world.start(
            image, prompt=request.prompt, intrinsics=intrinsics, unit_step=unit_step, seed=request.seed
        )
        for session_id in leaving:
            self.end(session_id)
        served = ServedSession(
            request.session_id or self._new_id(),
            session,
            request.start_stamp_ns,
            lease_s=request.lease_s,
            first_frame=self._world.fit_image(image),
            given_image=image,
            given_intrinsics=scale_intrinsics(seen, image.shape[:2], (info.height, info.width)),
            start_pose=request.start_pose,
            given_size=request.given_size or given_size,
        )
        return self._add(served, activate=not request.in_background)

    def fork(self, session_id: str, new_id: str, *, activate: bool, lease_s: float = 0.0) -> ServedSession:
        """A second session with the same past."""
        parent = self.get(session_id)
        if new_id in self._sessions:
            raise InputError("new_session_id", f"'{new_id}'", "use an id that no live session has, or leave it empty")
        require_text("new_session_id", new_id, NAME_BYTES)
        _require_lease(lease_s)
        return self._add(self.fork_apart(parent, new_id or self._new_id(), lease_s), activate=activate)

    def fork_apart(self, parent: ServedSession, new_id: str = "", lease_s: float = 0.0) -> ServedSession:
        """A fork that is not in the table; its holder closes it."""
        self._require_room(0)
        return ServedSession(
            new_id or f"{parent.id}/{self._new_id()}",
            parent.session.fork(),
            parent.start_stamp_ns,
            parent_id=parent.id,
            branch_frame=parent.session.frame_index,
            lease_s=lease_s,
            given_intrinsics=parent.given_intrinsics,
            start_pose=parent.start_pose,
            given_size=parent.given_size,
            last_control=parent.last_control,
        )

    def save(self, session_id: str, path: str, *, overwrite: bool) -> SavedSession:
        """Write a snapshot into the snapshot folder. Raises InputError for a path outside or a file in the way."""
        served = self.get(session_id)
        name = f"{served.id}-{served.session.frame_index}.safetensors"
        target = self._inside(path or (f"{self._owner}-{name}" if self._owner else name))
        if target.exists() and not overwrite:
            raise InputError("path", f"'{target}'", "it exists; set overwrite or choose another name")
        served.session.snapshot(served.outside()).save(target)
        return SavedSession(target, target.stat().st_size, self.view(served))

    def restore(
        self, path: str, session_id: str, now_ns: int, *, activate: bool, lease_s: float = 0.0
    ) -> ServedSession:
        """Bring a saved state back, with its lineage and its place in time: into the live session of that id, or anew.

        A snapshot that was not saved by a live session has no place in time; a new session of it goes on from `now_ns`.
        """
        source = self._inside(path)
        if not source.is_file():
            raise SnapshotError(f"path: got '{path}'; no such file in the snapshot folder {self._folder}")
        _require_lease(lease_s)
        require_text("session_id", session_id, NAME_BYTES)
        snapshot = Snapshot.load(source)
        info = self._world.info
        outside = checked_outside(snapshot.meta, info.fps)
        if session_id in self._sessions:
            served = self.get(session_id)
            served.session.restore(snapshot)
            served.lease_s = lease_s
        else:
            self._require_room(0)
            session = self._world.restore(snapshot)
            start_ns = max(0, now_ns - stamp_after(0, session.frame_index, info.fps))
            served = ServedSession(session_id or self._new_id(), session, start_ns, lease_s=lease_s)
        served.recall(outside)
        return self._add(served, activate=activate)

    def end(self, session_id: str) -> SessionView:
        """Close a session and give its last view. When it was active, nothing is active afterwards."""
        served = self.get(session_id)
        view = self.view(served)
        del self._sessions[served.id]
        if view.active:
            self.active_id = ""
        served.session.close()
        return view

    def expired_ids(self) -> list[str]:
        """Sessions that nobody used for longer than their lease."""
        return [served.id for served in self._sessions.values() if served.expired()]

    def views(self) -> tuple[SessionView, ...]:
        return tuple(self.view(served) for served in self._sessions.values())

    def view(self, served: ServedSession) -> SessionView:
        session, info = served.session, self._world.info
        return SessionView(
            session_id=served.id,
            parent_id=served.parent_id,
            branch_frame=served.branch_frame,
            active=served.id == self.active_id,
            seed=session.seed,
            prompt=session.prompt,
            frame_index=session.frame_index,
            chunk_index=session.chunk_index,
            next_chunk_frames=session.frames_in_next_chunk,
            start_stamp_ns=served.start_stamp_ns,
            stamp_ns=stamp_after(served.start_stamp_ns, session.frame_index, info.fps),
            created_ns=served.created_ns,
            lease_s=served.lease_s,
            memory_bytes=info.session_bytes,
            intrinsics=served.intrinsics,
            camera_pose=served.camera_pose,
        )

    def _add(self, served: ServedSession, *, activate: bool) -> ServedSession:
        self._sessions[served.id] = served
        if activate:
            self.active_id = served.id
        return served

    def _new_id(self) -> str:
        self._made += 1
        while f"session-{self._made}" in self._sessions:
            self._made += 1
        return f"session-{self._made}"

    def _require_room(self, leaving: int) -> None:
        # The world counts copies, too, on which a rollout works apart.
        count = len(self._world.sessions) - leaving + 1
        if count > self._limits.sessions:
            raise ResourceError(
                f"sessions: got {count}; at most {self._limits.sessions} may live (limits.sessions): end one first"
            )
        needed, limit = count * self._world.info.session_bytes, self._limits.memory_bytes
        if limit and needed > limit:
            raise ResourceError(
                f"memory: {count} sessions need {needed} bytes; limits.memory allows {limit}: end one first or raise it"
            )

    def _camera_of(self, given: NDArray[np.float64] | None, image: Image) -> Intrinsics:
        if given is not None:
            return focal_and_centre(given)
        info, own = self._world.info, self._world.card.intrinsics
        if own is None or self._camera.intrinsics != CameraDefaults().intrinsics:
            return self._camera.of_image(image.shape[:2])
        size = (image.shape[0], image.shape[1])
        fx, fy, cx, cy = stretch_intrinsics(np.array(own), (info.height, info.width), size).tolist()
        return fx, fy, cx, cy

    def _inside(self, path: str) -> Path:
        require_path("path", path)
        target = (self._folder / path).resolve()
        if not target.is_relative_to(self._folder):
            raise InputError("path", f"'{path}'", f"give a path inside the snapshot folder {self._folder}")
        return target


def _require_lease(lease_s: float) -> None:
    if not (np.isfinite(lease_s) and lease_s >= 0):
        raise InputError("lease", lease_s, "give seconds of 0 or more; 0 = never expires")
