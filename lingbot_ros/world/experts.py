"""The networks of a world: one, or two experts of which a small device holds one at a time."""

from collections.abc import Sequence

from lingbot_ros.world.network import Network


class Experts:
    """With `offload`, only the one that is awake has its weights on the device; the other waits in main memory."""

    def __init__(self, networks: Sequence[Network], device: str, offload: bool) -> None:
        """With `offload` the first of the networks has its weights on the device, the others in main memory."""
        self.networks, self.offload = list(networks), offload
        self._device = device
        self.awake: int | None = 0

    def wake(self, index: int) -> None:
        """Make the network ready to run. The other leaves first, so that the device never holds both."""
        if not self.offload or self.awake == index:
            return
        if self.awake is not None:
            self.networks[self.awake].move("cpu")
        self.awake = None  # until the whole of the other has arrived
        self.networks[index].move(self._device)
        self.awake = index
