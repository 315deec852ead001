"""Which cache slots a chunk uses: pure host integers, shared by every engine (model_spec 5.1).

Keys are cached already rotated, so the order of slots is free and the valid region can always be a prefix.
"""

from dataclasses import dataclass

from lingbot_ros.errors import InputError


@dataclass(frozen=True)
class Move:
    """Copy frames `[source, source + count)` to `target`, before the chunk's first forward; the two do not overlap."""

    source: int
    target: int
    count: int


@dataclass(frozen=True)
class ChunkSlot:
    """Where one chunk lives in the cache, in latent frames: first slot, valid prefix (own chunk included), and moves.

    `moves` are made in order. What they and the chunk destroy for good are the frames in the slots `lost`, each a first
    slot and a count: the rest of what is overwritten was moved away and can be moved back.
    """

    write: int
    length: int
    lost: tuple[tuple[int, int], ...] = ()
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True)
class Ring:
    """Attention sink + sliding window over a cache of `window` latent frames, filled `chunk` frames at a time.

    The first `sink` frames are never overwritten; the rest becomes a ring of chunks once the cache is full. When the
    sink ends inside a chunk, the first eviction drops fewer frames than a chunk: the last few frames of each chunk then
    move once to the slots before it, which aligns the ring for ever.

    When window - sink is no multiple of the chunk, the slots just behind the sink hold the `rest`: the oldest frames, a
    part of a chunk. Each eviction drops them with the first frames of the oldest chunk, whose last frames move there.

    Raises InputError for a sink that leaves no room for a chunk.
    """

    chunk: int
    window: int
    sink: int = 0

    def __post_init__(self) -> None:
        if self.chunk < 1:
            raise InputError("chunk", self.chunk, "use at least 1 latent frame per chunk")
        if not 0 <= self.sink <= self.window - self.chunk:
            raise InputError("sink", self.sink, f"use 0 to window - chunk = {self.window - self.chunk} latent frames")

    @property
    def rest(self) -> int:
        """Frames of the window behind the sink that fill no chunk."""
        return (self.window - self.sink) % self.chunk

    @property
    def _first_eviction(self) -> int:
        """Index of the first chunk that no longer fits."""
        return self.window // self.chunk

    @property
    def _shift_frames(self) -> int:
        """Frames dropped at the first eviction when they are not a whole chunk of the ring, else 0."""
        dropped = self.chunk - self.window % self.chunk
        return dropped if self.rest or dropped < self.chunk else 0

    def slot(self, chunk_index: int) -> ChunkSlot:
        """Slots of chunk `chunk_index` (0, 1, ...), the same for every forward of that chunk."""
        evictions = chunk_index - self._first_eviction
        if evictions < 0:
            return ChunkSlot(chunk_index * self.chunk, (chunk_index + 1) * self.chunk)
        if self._shift_frames and evictions == 0:
            return self._aligning_slot()
        write = self.sink + self.rest + self._ring_slot(evictions - (1 if self._shift_frames else 0))
        if self.window == self.chunk:
            return ChunkSlot(write, self.window)  # a model that makes single clips sees no past: nothing is lost
        if not self.rest:
            return ChunkSlot(write, self.window, lost=((write, self.chunk),))
        kept = Move(write + self.chunk - self.rest, self.sink, self.rest)
        lost = ((self.sink, self.rest), (write, self.chunk - self.rest))
        return ChunkSlot(write, self.window, lost=lost, moves=(kept,))

    def _aligning_slot(self) -> ChunkSlot:
        """The first eviction, where it drops frames that are no chunk of the ring."""
        dropped, end = self._shift_frames, self._first_eviction * self.chunk
        if self.rest:  # the order within a chunk counts later: all move down
            starts = range(self.sink + dropped, end, dropped)
            moves = tuple(Move(start, start - dropped, min(dropped, end - start)) for start in starts)
        else:
            starts = range(self.sink + dropped, end, self.chunk)
            moves = tuple(Move(start + self.chunk - dropped, start - dropped, dropped) for start in starts)
        return ChunkSlot(self.window - self.chunk, self.window, lost=((self.sink, dropped),), moves=moves)

    def replay_slots(self, chunks: list[int], committed: int) -> list[ChunkSlot]:
        """Where chunks of the window, outside the sink and in time order, are written to be computed anew.

        Each must see the sink and the chunks before it alone, so that they lie in time order behind the sink while this
        goes on; `replay_turn` says how far they must be turned afterwards.
        """
        if committed * self.chunk <= self.window:
            return [ChunkSlot(index * self.chunk, (index + 1) * self.chunk) for index in chunks]
        starts = [self.sink + place * self.chunk for place in range(len(chunks))]
        return [ChunkSlot(start, start + self.chunk) for start in starts]

    def replay_turn(self, committed: int) -> int:
        """Frames by which everything behind the sink must be rotated so that the next chunk overwrites the oldest."""
        return 0 if committed * self.chunk <= self.window else self.slot(committed).write - self.sink

    def _ring_slot(self, evictions: int) -> int:
        return evictions * self.chunk % (self.window - self.sink - self.rest)

    def visible(self, chunk_index: int) -> list[int]:
        """Latent frame indices attended while chunk `chunk_index` is generated, its own included, in time order."""
        end = (chunk_index + 1) * self.chunk
        if end <= self.window:
            return list(range(end))
        return [*range(self.sink), *range(end - (self.window - self.sink), end)]
