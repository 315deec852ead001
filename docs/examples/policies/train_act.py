"""Trains a small ACT policy on Push-T with LeRobot's own classes, and saves it as LeRobot does.

Runs in LeRobot's environment, in which this package is installed too. The policy imitates the planning expert from the
image and the pusher's place in it; that takes some minutes on one core. `--episodes 20 --iterations 50` is a trial.
Afterwards `lerobot: FOLDER` in a file of policies plays it.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from lerobot.configs import FeatureType, NormalizationMode, PolicyFeature
from lerobot.policies import ACTConfig, make_pre_post_processors
from lerobot.policies.act.modeling_act import ACTPolicy

from lingbot_ros.tasks.pusht.evaluation.demonstrations import demonstrate
from lingbot_ros.tasks.pusht.image_reader import pusher_position

CHUNK = 4


def small_act() -> ACTConfig:
    """A hundredth of ACT's usual size, of Push-T's image and action."""
    return ACTConfig(
        input_features={
            "observation.image": PolicyFeature(FeatureType.VISUAL, (3, 96, 96)),
            "observation.state": PolicyFeature(FeatureType.STATE, (2,)),
        },
        output_features={"action": PolicyFeature(FeatureType.ACTION, (2,))},
        normalization_mapping=dict.fromkeys(("VISUAL", "STATE", "ACTION"), NormalizationMode.MEAN_STD),
        device="cpu",
        push_to_hub=False,
        pretrained_backbone_weights=None,
        chunk_size=CHUNK,
        n_action_steps=CHUNK,
        dim_model=64,
        n_heads=4,
        dim_feedforward=128,
        n_encoder_layers=2,
        use_vae=False,
    )


def main() -> None:
    """Demonstrate, train, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--episodes", type=int, default=300)
    parser.add_argument("--iterations", type=int, default=1500)
    args = parser.parse_args()
    torch.manual_seed(0)
    shown = list(demonstrate(args.episodes, seed=0))
    images = torch.from_numpy(np.concatenate([part.images for part in shown])).permute(0, 3, 1, 2)
    actions = torch.from_numpy(np.concatenate([part.actions for part in shown]))
    states = torch.tensor(np.array([pusher_position(image) for part in shown for image in part.images]))
    states = torch.where(states.isnan(), 256.0, states).float()
    places = {"mean": actions.mean((0, 1)), "std": actions.std((0, 1))}
    stats = {
        "observation.image": {"mean": torch.full((3, 1, 1), 0.9), "std": torch.full((3, 1, 1), 0.2)},
        "action": places,
        "observation.state": places,
    }
    policy = ACTPolicy(small_act())
    before, after = make_pre_post_processors(policy.config, dataset_stats=stats)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=3e-4)
    policy.train()
    for iteration in range(args.iterations):
        rows = torch.randint(len(images), (16,))
        images_now = images[rows].float() / 255
        batch = before({"observation.image": images_now, "observation.state": states[rows], "action": actions[rows]})
        batch["action_is_pad"] = torch.zeros(len(rows), CHUNK, dtype=torch.bool)
        loss, _ = policy(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if iteration % 100 == 0:
            print(f"{iteration}: {loss.item():.3f}", flush=True)
    for part in (policy, before, after):
        part.save_pretrained(args.out)
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
