"""New worlds: the start request of a seed or of an image."""

import numpy as np
from numpy.typing import NDArray
from std_msgs.msg import Header

from lingbot_msgs.msg import ModelInfo
from lingbot_msgs.srv import StartSession
from lingbot_ros.bridge.images import rgb_to_image
from lingbot_ros.tasks.registry import find_task


def start_request(model: ModelInfo, seed: int, image: NDArray[np.uint8] | None, prompt: str) -> StartSession.Request:
    """Replaces the active session; may take seconds, so not on an event loop.

    image: uint8 [H, W, 3] RGB; None = the task's scene of that seed, or the example image of a model without a task.
    Raises LingbotError when the task's packages are missing.
    """
    request = StartSession.Request(seed=seed, replace_active=True, prompt=prompt)
    if image is None and model.task:
        first = find_task(model.task).first_image(seed)
        image = None if first is None else first.image
    if image is not None:
        request.image = rgb_to_image(image, Header())
    return request
