"""The networks of a world: one, or two experts of which only one is on the device if they are offloaded."""

from collections.abc import Sequence

from lingbot_ros.world.network import Network


class Experts:
    """Selects the network to run. With `offload`, one network is on the device and the other in main memory."""

    def __init__(self, networks: Sequence[Network], device: str, offload: bool) -> None:
        """With `offload`, the weights of the first network are on the device, those of the others in main memory."""
        self.networks, self.offload = list(networks), offload
        self._device = device
        self.on_device: int | None = 0

    def load(self, index: int) -> None:
        """Move the network to the device. The other is moved away first, so that the device never holds both."""
        if not self.offload or self.on_device == index:
            return
        if self.on_device is not None:
            self.networks[self.on_device].move("cpu")
        self.on_device = None  # until all weights of the new network are on the device
        self.networks[index].move(self._device)
        self.on_device = index
