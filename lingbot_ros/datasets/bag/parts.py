"""The messages of one take of a bag, and where its episodes begin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.bag.stamps import StampColumn


@dataclass(frozen=True)
class Part:
    """The messages of one take, by number, and the stamps in ns where episodes begin."""

    images: NDArray[np.int64]
    actions: NDArray[np.int64]
    begins: NDArray[np.int64]

    def sorted(self, image_ns: NDArray[np.int64], action_ns: NDArray[np.int64]) -> "Part":
        """The same, each topic in order of its stamps."""
        by_image, by_action = (
            numbers[np.argsort(stamps[numbers], kind="stable")]
            for numbers, stamps in ((self.images, image_ns), (self.actions, action_ns))
        )
        return Part(by_image, by_action, np.sort(self.begins))


def episode_begins(
    pictures: StampColumn, acts: StampColumn, markers: NDArray[np.int64], kind: str
) -> NDArray[np.int64]:
    """When the episodes begin that the messages `markers` announce, on the clock of `kind`.

    By receipt, a message that came after the image with the same header belongs to that image.
    """
    own = acts.stamps(kind)[markers]
    image_headers, headers = pictures.headers, acts.headers
    if kind == "header" or image_headers is None or headers is None or not len(pictures):
        return own
    newest = np.searchsorted(pictures.received, own, side="right") - 1
    same = (newest >= 0) & (image_headers[np.maximum(newest, 0)] == headers[markers])
    return np.where(same, pictures.received[np.maximum(newest, 0)], own)
