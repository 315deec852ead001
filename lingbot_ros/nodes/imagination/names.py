"""Names that follow from the node's own: of files, and of the encoded twin of an image topic."""

from rclpy.node import Node


def file_name_of(node: Node) -> str:
    """Name and namespace of the node as part of a file's name, e.g. `robot1.imagination`. ROS names have no dots."""
    return node.get_fully_qualified_name().strip("/").replace("/", ".")


def compressed_twin(node: Node, twin: str) -> str:
    """The full name of `IMAGE_TOPIC/compressed`, which carries the images of IMAGE_TOPIC encoded.

    image_transport looks for it below the name that the image topic has after remapping. It may be remapped alone.
    """
    resolved = node.resolve_topic_name(twin)
    if resolved != node.resolve_topic_name(twin, only_expand=True):
        return resolved
    return f"{node.resolve_topic_name(twin.removesuffix('/compressed'))}/compressed"
