"""Copies of a world that was read a little otherwise."""

import torch

from lingbot_ros.model.rigid_layers.capture import Capture
from lingbot_ros.model.rigid_layers.motion import advance
from lingbot_ros.model.rigid_layers.variants import advance_all, around
from test.support.flat_scene import draw_scene, scene_constants

DISC, BLOCK = (20.3, 12.6), (33.4, 38.2, 0.6)


def test_copies_part_where_the_block_is_pushed_and_the_world_does_not_notice_them() -> None:
    constants = scene_constants()
    bodies = Capture(constants).start(draw_scene(DISC, BLOCK)).bodies
    alone, variants = bodies, around(constants, bodies)
    begin = float(variants.spread_px)
    assert 0 < begin < 4 * float(constants.blur)
    assert torch.equal(variants.poses[:, :, 0], bodies.poses[:, None, 0].expand_as(variants.poses[:, :, 0]))
    for step in range(12):
        target = torch.tensor([[[DISC[0] + 2.5 * step, DISC[1] + 3.5 * step]]])
        alone = advance(constants, alone, target)
        bodies, variants = advance_all(constants, bodies, variants, target)
        assert torch.equal(bodies.poses, alone.poses)
        if step == 1:  # the disc is not there yet
            assert float(variants.spread_px) == begin
    assert float(variants.spread_px) > 1.5 * begin
    assert float(around(constants, bodies).spread_px) < float(variants.spread_px)
