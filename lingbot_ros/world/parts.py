"""What a session's past is made of: parts that a chunk changes together, and that a fork or a snapshot copies."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from lingbot_ros.errors import SnapshotError
from lingbot_ros.model.autoencoder import Decoder, DecoderState, EncoderState, Frames
from lingbot_ros.model.cache import KVCache
from lingbot_ros.model.condition import Condition
from lingbot_ros.model.observation import Observation
from lingbot_ros.world.assembly import Control
from lingbot_ros.world.branch import ChunkInputs
from lingbot_ros.world.pose_memory import PoseMemory
from lingbot_ros.world.recent import RecentChunk, RecentChunks

State = dict[str, Tensor]
"""A part's tensors by name, on any device. Nobody changes them: the same state may be loaded more than once."""


_OPTION_OF_PART = {"recent": "prompt_policy", "memory": "memory", "cache": "guidance"}
"""Which load option decides whether a session has a part; the parts that are not named every session has."""


@dataclass(frozen=True)
class FinishedChunk:
    """What a chunk was made from and became.

    `frames` uint8 [n, H, W, 3] are what it showed, imagined or real; `encoder` is the state that real ones left in the
    autoencoder, None for imagined ones.
    """

    inputs: ChunkInputs
    latents: Tensor
    frames: Frames
    encoder: EncoderState | None


@dataclass(frozen=True)
class Part:
    """One part: its `state`, how to `load` another's, and what the end of a chunk does to it.

    A chunk changes the state only by `commit`; `rollback` undoes what a chunk that failed has done besides.
    """

    state: Callable[[], State]
    load: Callable[[State], None]
    commit: Callable[[FinishedChunk], None]
    rollback: Callable[[], None] = lambda: None


class Decoding:
    """One session's stream of latents to frames. `decode` changes nothing; `commit` makes its chunk the past."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._state: DecoderState = decoder.start()
        self._next = self._state

    def decode(self, latents: Tensor) -> Frames:
        """Latents [1, C, c, h, w] -> the chunk's frames uint8 [n, H, W, 3]."""
        frames, self._next = self._decoder.decode(latents, self._state)
        return frames

    def commit(self) -> None:
        """The chunk that was decoded last is the past."""
        self._state = self._next

    def rollback(self) -> None:
        """Let go of what the last chunk would have left."""
        self._next = self._state

    def state(self) -> DecoderState:
        """What the next chunk is decoded after; never changed in place."""
        return self._state

    def load_state(self, state: DecoderState) -> None:
        """The reverse of `state`."""
        self._state = self._next = state


def session_parts(
    device: str,
    caches: Sequence[KVCache],
    condition: Condition,
    control: Control,
    decoding: Decoding,
    observation: Observation,
    recent: RecentChunks | None,
    memory: PoseMemory | None,
) -> dict[str, Part]:
    """All parts of a session by name. What `condition`, `decoding`, `observation` and `recent` load is on `device`."""

    def on_device(load: Callable[[State], None]) -> Callable[[State], None]:
        return lambda state: load({name: tensor.to(device) for name, tensor in state.items()})

    parts = {f"cache{index or ''}": _cache_part(cache) for index, cache in enumerate(caches)}
    parts["condition"] = Part(
        condition.state, on_device(condition.load_state), lambda chunk: condition.commit(chunk.latents)
    )
    parts["control"] = Part(
        control.state, control.load_state, lambda chunk: control.commit(dict(chunk.inputs.controls))
    )
    parts["decoder"] = Part(
        decoding.state, on_device(decoding.load_state), lambda _: decoding.commit(), decoding.rollback
    )
    parts["observation"] = Part(
        observation.state,
        on_device(observation.load_state),
        lambda chunk: observation.commit(chunk.frames, chunk.encoder),
    )
    if recent is not None:
        parts["recent"] = Part(
            recent.state,
            on_device(recent.load_state),
            lambda chunk: recent.add(RecentChunk(chunk.inputs, chunk.latents)),
        )
    if memory is not None:
        parts["memory"] = Part(memory.state, memory.load_state, lambda _: memory.commit(), memory.rollback)
    return parts


def _cache_part(cache: KVCache) -> Part:
    return Part(cache.state, cache.load_state, lambda _: cache.commit(), cache.rollback)


def require_same_parts(mine: Mapping[str, Part], theirs: Mapping[str, State]) -> None:
    """Raise SnapshotError unless a snapshot's parts are those of this session, naming the first that is not."""
    for name in (*mine, *theirs):
        if (name in mine) != (name in theirs):
            option = _OPTION_OF_PART.get(name.rstrip("0123456789"), "version of lingbot_ros")
            raise SnapshotError(
                f"snapshot: it {'lacks' if name in mine else 'has'} the part '{name}', which a session of this world "
                f"{'needs' if name in mine else 'does not have'}; load the world with the same {option}"
            )
