"""What is found in images of a scene whose truth is known, of a shape that nobody told the model about."""

import cv2
import numpy as np
import pytest
import torch

from lingbot_ros.errors import InputError
from lingbot_ros.model.rigid_layers.capture import Capture
from lingbot_ros.model.rigid_layers.polygon import nearest, place
from lingbot_ros.model.rigid_layers.render import render
from lingbot_ros.model.rigid_layers.state import LayerState
from test.support.flat_scene import BLOCK as BLOCK_COLOUR
from test.support.flat_scene import L_SHAPE, draw_scene, scene_constants

DISC, BLOCK = (20.3, 12.6), (33.4, 38.2, 0.6)


def image_of(constants, state: LayerState) -> np.ndarray:
    return render(constants, state.bodies.poses, state.outlines, state.textures, state.background)[0].numpy()


def boundary_error(state: LayerState, block: tuple[float, float, float]) -> float:
    corners = place(state.outlines[0, 1].double().numpy(), state.bodies.poses[0, 1].double().numpy())
    return float(np.abs(nearest(corners, place(L_SHAPE, np.array(block))).distance).max())


def test_one_image_gives_the_outline_to_a_fifth_of_a_pixel_and_is_drawn_again() -> None:
    constants, frame = scene_constants(), draw_scene(DISC, BLOCK)
    state = Capture(constants).start(frame)
    assert state.bodies.poses[0, 0, :2].tolist() == pytest.approx(DISC, abs=0.1)
    assert boundary_error(state, BLOCK) < 0.25
    assert np.abs(image_of(constants, state).astype(int) - frame).mean() < 1.0


def test_a_real_image_resets_pose_and_uncovers_the_background() -> None:
    constants = scene_constants()
    capture = Capture(constants)
    state = capture.start(draw_scene(DISC, BLOCK))
    later = (35.0, 37.1, 0.75)
    seen = capture.observe(state, draw_scene(DISC, later), torch.tensor([[DISC]]))
    assert boundary_error(seen, later) < 0.25 < boundary_error(state, later)
    assert seen.seen.sum() > state.seen.sum()
    assert int(seen.sight_count) == 2 and int(state.sight_count) == 1


def test_what_a_layer_hid_at_first_is_painted_whole_when_it_leaves() -> None:
    constants = scene_constants()
    state = Capture(constants).start(draw_scene(DISC, (46.0, 12.0, 0.0)))  # half of the mark is hidden
    poses = state.bodies.poses.clone()
    poses[0, 1, :2] = torch.tensor((33.0, 45.0))
    drawn = render(constants, poses, state.outlines, state.textures, state.background)[0].numpy().astype(int)
    assert np.abs(drawn[5:14, 39:58] - draw_scene(DISC, (33.0, 45.0, 0.0))[5:14, 39:58]).max() < 12


def test_a_image_without_the_disc_is_refused() -> None:
    with pytest.raises(InputError, match="image: got one without layer 1"):
        Capture(scene_constants()).start(draw_scene((-20.0, -20.0), BLOCK))


def test_a_star_of_more_corners_than_a_state_has_room_for_gets_a_smooth_outline() -> None:
    angles = np.arange(40) * np.pi / 20
    reach = np.where(np.arange(40) % 2, 7.0, 14.0)[:, None]
    star = np.array((36.0, 40.0)) + reach * np.stack([np.cos(angles), np.sin(angles)], -1)
    frame = draw_scene(DISC, (-40.0, -40.0, 0.0))
    cv2.fillPoly(frame, [np.rint(star).astype(np.int32)], BLOCK_COLOUR)
    state = Capture(scene_constants()).start(frame)
    assert np.abs(place(state.outlines[0, 1].numpy(), state.bodies.poses[0, 1].numpy()) - (36.0, 40.0)).max() < 15


def test_dots_of_a_layers_colour_are_no_layer() -> None:
    """Their outline has no area: its centre was NaN, and so were all poses."""
    frame = draw_scene(DISC, (-40.0, -40.0, 0.0))
    frame[30:50:2, 30:50:2] = BLOCK_COLOUR
    with pytest.raises(InputError, match="image: got one without layer 2"):
        Capture(scene_constants()).start(frame)


def test_states_are_tensors_and_back() -> None:
    state = Capture(scene_constants()).start(draw_scene(DISC, BLOCK))
    again = LayerState.of(state.tensors())
    assert all(torch.equal(again.tensors()[name], tensor) for name, tensor in state.tensors().items())
    assert torch.equal(LayerState.stack([state, state]).row(1).textures, state.textures)
