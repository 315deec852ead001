"""What of a recording cannot be used: counted, named, and refused where it is more than a small share."""

from lingbot_ros.errors import InputError

BAD_SHARE = 0.01
_NAMED = 3


class LeftOut:
    """Faults of one source, e.g. a topic. Each ends the episode that it lies in."""

    def __init__(self, source: str, unit: str) -> None:
        self._source, self._unit = source, unit
        self._faults: list[str] = []

    def __len__(self) -> int:
        return len(self._faults)

    def add(self, fault: InputError) -> None:
        self._faults.append(str(fault))

    def check(self, total: int, share: float) -> None:
        """Raise InputError where more than `share` of `total` cannot be used."""
        if len(self) <= share * total:
            return
        what = f"{len(self)} of {total} {self._unit} that cannot be used"
        raise InputError(
            self._source, what, f"correct them, or leave out so many with --bad-share; the first: {self._first()}"
        )

    def story(self) -> list[str]:
        """A line for a person, or none."""
        if not self._faults:
            return []
        return [f"{self._source}: {len(self)} {self._unit} left out, an episode ends at each: {self._first()}"]

    def _first(self) -> str:
        more = f"; and {len(self) - _NAMED} more" if len(self) > _NAMED else ""
        return "; ".join(self._faults[:_NAMED]) + more


def check_share(share: float) -> None:
    """Raise InputError unless `share` is one."""
    if not 0 <= share <= 1:
        raise InputError("--bad-share", share, "give a share from 0 to 1")
