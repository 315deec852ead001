"""What a driven disc does to a shape that it meets: a law with a handful of learned constants.

The shape is pushed along the normal as far as the disc advances, and turns about its centre as its inertia lets it;
where it overlaps the disc or a wall, it gives way a little in every substep. Nothing keeps moving by itself, nothing
rubs. The distances are those to the shape's own outline, so that the law holds for any shape.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn


class ContactLaw(nn.Module):
    """Constants in pixels and shares per substep; `walls` are left, top, right, bottom.

    `gyration` is that of all shapes, or [K] with one of each of so many `shapes`.
    """

    walls: Tensor

    def __init__(self, shapes: int | None = None) -> None:
        super().__init__()
        self.reach = nn.Parameter(torch.tensor(1.0))
        self.gyration = nn.Parameter(torch.tensor(1.0) if shapes is None else torch.ones(shapes))
        self.slop = nn.Parameter(torch.tensor(0.0))
        self.yielding = nn.Parameter(torch.tensor(0.1))
        self.register_buffer("walls", torch.tensor((-1e3, -1e3, 1e3, 1e3)))
        self.requires_grad_(False)

    def prepare(self) -> None:
        """Have the law compiled now: seconds once, half a second in later processes. Else the first motion waits."""
        _compiled_push()

    def forward(self, poses: Tensor, outlines: Tensor, centres: Tensor, paths: Tensor) -> Tensor:
        """Where pushed shapes are after each of T frames, [B, T, K, 3]. All float32; rows do not know of one another.

        poses [B, K, 3] of the layers before, their physical outlines [B, K, V, 2] and centres of turning [B, K, 2] in
        the layers' frames; paths [B, T, D, 1 + substeps + 1, 2] of D discs in each frame, the first place one substep
        before the frame begins.
        """
        push = _compiled_push()
        shapes = poses.shape[1]
        groups = [slice(shapes)] if self.gyration.ndim == 0 else [slice(k, k + 1) for k in range(shapes)]
        moved = []
        for group, gyration in zip(groups, self.gyration.reshape(-1).tolist(), strict=True):
            constants = float(self.reach), gyration, float(self.slop), float(self.yielding)
            law = np.array((*constants, *self.walls.tolist()), np.float64)
            still = poses[:, group], outlines[:, group], centres[:, group]
            moved.append(torch.empty(len(poses), paths.shape[1], *still[0].shape[1:]))
            push(*(tensor.numpy() for tensor in still), paths.numpy(), law, moved[-1].numpy())
        return moved[0] if len(moved) == 1 else torch.cat(moved, dim=2)


def _compiled_push() -> Callable[..., None]:
    from lingbot_ros.model.rigid_layers.pushing import push  # noqa: PLC0415  - what moves nothing does not wait

    return push
