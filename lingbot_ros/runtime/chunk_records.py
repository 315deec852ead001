"""From the frames of a chunk to records that say what each frame is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.runtime.enums import FrameKind
from lingbot_ros.runtime.real_images import RealImage
from lingbot_ros.runtime.records import Control, FrameRecord, stamp_after
from lingbot_ros.runtime.served_session import ServedSession
from lingbot_ros.world import StepTiming


def chunk_records(
    served: ServedSession,
    images: NDArray[np.uint8],
    controls: Sequence[Control],
    fps: float,
    *,
    paced: bool,
    observed: Sequence[RealImage] = (),
) -> list[FrameRecord]:
    """Records of the chunk that `served` has just made: images uint8 [n, H, W, 3], one control per frame.

    observed: the real images that these are, none when they were imagined.
    """
    session, timing = served.session, served.session.timing
    first_index = session.frame_index - len(images) + 1
    return [
        FrameRecord(
            image=image,
            stamp_ns=stamp_after(served.start_stamp_ns, first_index + offset, fps),
            session_id=served.id,
            parent_id=served.parent_id,
            branch_frame=served.branch_frame,
            seed=session.seed,
            prompt=session.prompt,
            kind=FrameKind.OBSERVED if observed else FrameKind.IMAGINED,
            frame_index=first_index + offset,
            chunk_index=session.chunk_index - 1,
            frame_in_chunk=offset,
            chunk_frames=len(images),
            frames_since_real=max(0, session.frames_since_real - (len(images) - 1 - offset)),
            control=control,
            timing=timing,
            intrinsics=served.intrinsics,
            camera_pose=session.camera_pose if session.view is not None else None,
            view=session.view,
            observed_stamp_ns=observed[offset].stamp_ns if observed else 0,
            paced=paced,
            trust=session.trust,
            mask=session.mask,
        )
        for offset, (image, control) in enumerate(zip(images, controls, strict=True))
    ]


def first_frame_record(served: ServedSession, image: NDArray[np.uint8]) -> FrameRecord:
    """The record of frame 0: the first image as the model sees it, uint8 [H, W, 3]."""
    session = served.session
    return FrameRecord(
        image=image,
        stamp_ns=served.start_stamp_ns,
        session_id=served.id,
        parent_id=served.parent_id,
        branch_frame=served.branch_frame,
        seed=session.seed,
        prompt=session.prompt,
        kind=FrameKind.SEED,
        frame_index=0,
        chunk_index=0,
        frame_in_chunk=0,
        chunk_frames=1,
        frames_since_real=0,
        control=None,
        timing=StepTiming(),
        intrinsics=served.intrinsics,
        camera_pose=served.start_pose,
        given_image=served.given_image,
        trust=session.trust,
    )
