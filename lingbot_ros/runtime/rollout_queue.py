"""Which rollout goes on next: those of one session in order of arrival, sessions in turn."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator

from lingbot_ros.runtime.rollout import Rollout


class RolloutQueue:
    """Single-threaded. Keyed by the id of the session that a rollout advances; a fork has its own."""

    def __init__(self) -> None:
        self._by_session: OrderedDict[str, deque[Rollout]] = OrderedDict()

    def add(self, session_id: str, rollout: Rollout) -> None:
        self._by_session.setdefault(session_id, deque()).append(rollout)

    def holds(self, session_id: str) -> bool:
        """Whether a rollout of that session runs or waits."""
        return session_id in self._by_session

    def next(self, can_go: Callable[[str], bool]) -> Rollout | None:
        """The rollout whose turn it is, among sessions that can go; its session then goes behind the others."""
        for session_id, rollouts in self._by_session.items():
            if can_go(session_id):
                self._by_session.move_to_end(session_id)
                return rollouts[0]
        return None

    def remove(self, rollout: Rollout) -> None:
        for session_id, rollouts in list(self._by_session.items()):
            if rollout in rollouts:
                rollouts.remove(rollout)
                if not rollouts:
                    del self._by_session[session_id]

    def of_session(self, session_id: str) -> tuple[Rollout, ...]:
        return tuple(self._by_session.get(session_id, ()))

    def __iter__(self) -> Iterator[Rollout]:
        return iter([rollout for rollouts in self._by_session.values() for rollout in rollouts])

    def __len__(self) -> int:
        return sum(map(len, self._by_session.values()))
