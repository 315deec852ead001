"""N imagined worlds in step: one forward imagines the next chunk of all of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lingbot_ros.control.camera import Lens
from lingbot_ros.errors import EngineError, ErrorCode, InputError, LingbotError, SessionError
from lingbot_ros.model.autoencoder import Frames, PixelAutoencoder, check_image
from lingbot_ros.sendable import MAX_SEED, require_whole
from lingbot_ros.world.layer_model import LayerModel
from lingbot_ros.world.layer_rows import LayerRows
from lingbot_ros.world.network_rows import NetworkRows
from lingbot_ros.world.rows import Rows
from lingbot_ros.world.scene_model import SceneModel
from lingbot_ros.world.scene_rows import SceneRows
from lingbot_ros.world.session import Session
from lingbot_ros.world.snapshot import Snapshot
from lingbot_ros.world.world import World


class Batch:
    """`size` rows, each a session of its own, for action models on pixels without text and for scene models.

    `session(row)` is a row as a `Session`, with its own past, clock and seed: fork it, take and restore snapshots, let
    it observe real frames, even step it alone. `step` imagines the next chunk of many rows in as few forwards as the
    engine allows, through the same programs. A row agrees with a session that is stepped alone up to rounding, because
    matrix products of other sizes add in another order; rows that share past, seed and controls agree to the bit while
    they are stepped together. Used by one thread at a time.
    """

    def __init__(self, world: World, size: int) -> None:
        """Every row must be started before it is stepped. Raises InputError and EngineError."""
        if size < 1:
            raise InputError("size", size, "give 1 or more")
        self.size, self._world, self._model = size, world, world.model
        self.ended: dict[int, LingbotError] = {}
        """Rows that were ended by what they were given, and the error; `start` or `spread` begins them anew."""
        self._rows = _rows_of(world, size)
        self._sessions: list[Session | None] = [None] * size

    @property
    def frames_per_chunk(self) -> int:
        """How many frames a step makes of every row, and how many controls it takes."""
        return self._model.card.stream.chunk

    @property
    def frame_index(self) -> NDArray[np.int64]:
        """Frames that each row has lived since its start, [size]; -1 for rows that were never started."""
        return np.array([-1 if session is None else session.frame_index for session in self._sessions], np.int64)

    def start(self, row: int, image: Frames, seed: int = 0, intrinsics: ArrayLike | None = None) -> Frames:
        """Begin row number `row` anew at an image uint8 [h, w, 3] RGB; returns it as the model sees it, [H, W, 3].

        `intrinsics` as for `World.start`; the prompt is empty, see `Session.prompt`.
        """
        self._check_row(row)
        seed = require_whole("seed", seed, 0, MAX_SEED)
        card, autoencoder = self._model.card, self._model.autoencoder
        fitted = autoencoder.fit(check_image(image), card.height, card.width)
        lens = self._world.lens(np.asarray(image).shape[:2], intrinsics, None)
        self._seat(row, seed, lens).begin(fitted)
        return autoencoder.decode(fitted, autoencoder.start())[0][0]

    def session(self, row: int) -> Session:
        """The row as a session. Raises SessionError for one that was not started or has ended."""
        self._check_row(row)
        session = self._sessions[row]
        if row in self.ended:
            raise SessionError(
                f"batch: row {row} has ended ({self.ended[row]}); start it again", ErrorCode.SESSION_CLOSED
            )
        if session is None:
            raise SessionError(f"batch: row {row} was never started; start it", ErrorCode.NOT_ACTIVE)
        return session

    def spread(self, source: Session | Snapshot, rows: Sequence[int]) -> None:
        """Have rows continue a session of the same world, or a snapshot.

        Raises SnapshotError if it is of another model; the rows are then as they were.
        """
        for row in rows:
            self._check_row(row)
        if isinstance(source, Session) and source in self._sessions:
            source = source.snapshot()  # its own row may be among them
        for row in rows:
            session = self._sessions[row] or self._seat(row, 0, None)
            if isinstance(source, Snapshot):
                session.restore(source)
            else:
                session.become(source)
            self.ended.pop(row, None)

    def select(self, indices: Sequence[int]) -> None:
        """Have row i continue what row `indices[i]` has lived, for all rows at once."""
        if len(indices) != self.size:
            raise InputError("indices", f"{len(indices)} of them", f"give {self.size}, one per row")
        kept = {index: self.session(index).snapshot() for row, index in enumerate(indices) if row != index}
        for row, index in enumerate(indices):
            if row != index:
                self.spread(kept[index], [row])

    def step(self, controls: ArrayLike, rows: Sequence[int] | None = None) -> Frames:
        """Imagine one chunk of `rows`, by default all that live: controls [size, frames_per_chunk, dim], or poses
        [size, frames_per_chunk, 4, 4] -> uint8 [size, n, H, W, 3] RGB, zeros for rows that idle.

        A row whose controls a session would refuse ends, as `ended` then says; the others go on. Raises InputError for
        controls of another shape and SessionError for a row that was not started: then nothing has changed.
        """
        values, card = np.asarray(controls, np.float64), self._model.card
        each = (4, 4) if card.control.kind == "camera" else (card.control.dim,)
        expected = (self.size, self.frames_per_chunk, *each)
        if values.shape != expected:
            raise InputError("controls", f"shape {list(values.shape)}", f"give {list(expected)}")
        asked = [row for row in range(self.size) if row not in self.ended] if rows is None else rows
        living = {row: self.session(row) for row in asked}
        inputs, refused = self._rows.read(living, values) if living else ({}, {})
        made = self._rows.imagine(living, inputs) if inputs else None
        self.ended |= refused
        if made is not None and list(inputs) == list(range(self.size)):
            return made
        frames = np.zeros((self.size, self.frames_per_chunk, card.height, card.width, 3), np.uint8)
        if made is not None:
            frames[list(inputs)] = made
        return frames

    def _seat(self, row: int, seed: int, lens: Lens | None) -> Session:
        """A new session in the place of a row; the old one is closed, because the tensors are the new one's."""
        before = self._sessions[row]
        if before is not None:
            before.close()
        session = self._rows.new_session(row, seed, lens)
        self._sessions[row] = session
        self.ended.pop(row, None)
        return session

    def _check_row(self, row: int) -> None:
        if not 0 <= row < self.size:
            raise InputError("row", row, f"give 0 to {self.size - 1}")


def _rows_of(world: World, size: int) -> Rows:
    card, model = world.card, world.model
    if isinstance(model, LayerModel):
        return LayerRows(model, world, size)
    if isinstance(model, SceneModel):
        return SceneRows(model, world)
    if not isinstance(model.autoencoder, PixelAutoencoder) or card.control.kind != "action" or len(model.networks) > 1:
        raise EngineError(f"batch: {card.name} is no small action model; step its sessions one by one")
    if card.architecture.text is not None or model.is_guided:
        raise EngineError(f"batch: {card.name} takes text or guidance; step its sessions one by one")
    return NetworkRows(model, world, size)
