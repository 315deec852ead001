"""`lingbot imagine --view`: the node in a child process, the page in this one."""

import argparse

from lingbot_ros.checkpoints.cards import find_card
from lingbot_ros.cli.imagine.camera import choose_size, require_weights
from lingbot_ros.cli.node_session import BRING_UP_S, ros, ros_arguments, use_large_images
from lingbot_ros.cli.page import require_page_packages, show_page
from lingbot_ros.control.scene_files import read_prompt
from lingbot_ros.errors import InputError, LingbotError
from lingbot_ros.input_files.encoded_image import read_image
from lingbot_ros.nodes.client.imagination import ImaginationClient
from lingbot_ros.nodes.client.node_process import NodeProcess
from lingbot_ros.nodes.end_signals import interrupt_once
from lingbot_ros.nodes.viewer.worlds import start_request

_NOT_HERE = ("policy", "poses", "action_string", "keys", "frames", "prompts", "out")


def imagine_on_page(args: argparse.Namespace) -> int:
    """See `lingbot_ros.cli.imagine`. Raises LingbotError."""
    for name in _NOT_HERE:
        if getattr(args, name) is not None:
            option = f"--{name.replace('_', '-')}"
            raise InputError(option, getattr(args, name), "leave it out with --view: you drive on the page")
    if args.duration is not None and not args.duration > 0:
        raise InputError("--duration", args.duration, "give a positive number of seconds")
    require_page_packages()
    interrupt_once()
    if args.large_images:
        use_large_images()
    image = None if args.image is None else read_image(args.image, "--image")
    if args.model is not None:
        card = find_card(args.model)
        if image is not None:
            choose_size(args, card, (image.shape[0], image.shape[1]))
        require_weights(args, card)
    with NodeProcess(ros_arguments(args, {})) as process, ros(args.namespace) as (node, executor):
        try:
            client = ImaginationClient(node, executor)
            client.bring_up(BRING_UP_S, alive=lambda: process.exit_code() is None)
            model = client.loaded_model()
            prompt = read_prompt(args.prompt, "--prompt")
            print(f"{model.name}: {model.engine} on {model.device}, {model.precision}; licence {model.licence}")
            show_page(args, node, executor, process, lambda model: start_request(model, args.seed, image, prompt))
        except KeyboardInterrupt:
            return 0
        if process.exit_code() is not None:
            raise LingbotError("the node has ended; see its log above")
    return 0
