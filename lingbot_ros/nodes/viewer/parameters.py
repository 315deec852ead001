"""Parameters of the node `viewer`."""

from lingbot_ros.nodes.parameter import Parameter
from lingbot_ros.viewer.serve import DEFAULT_PORT

PARAMETERS = (
    Parameter("host", "127.0.0.1", "address that the page is served at; 127.0.0.1 = to this machine only"),
    Parameter("port", DEFAULT_PORT, "port of the page; 0 = any free one", 0, 65535),
    Parameter("imagination", "imagination", "name of the imagination node, relative to the viewer's namespace"),
)
