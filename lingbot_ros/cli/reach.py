"""How far ROS 2 reaches from here, in one line."""

import os


def reach_line() -> str:
    """Who can take part: this machine, or others too; by the variables that ROS 2 reads."""
    variables = os.environ
    domain = variables.get("ROS_DOMAIN_ID", "0")
    reach = variables.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET").upper()
    if variables.get("ROS_STATIC_PEERS"):
        said = f"this machine and {variables['ROS_STATIC_PEERS']} can take part"
    elif reach == "OFF":
        said = "nobody else can take part"
    elif reach == "LOCALHOST" or variables.get("ROS_LOCALHOST_ONLY") == "1":
        said = "this machine only; `./lingbot --network ...` lets others take part"
    else:
        said = "everybody in the network can take part and drive"
    return f"ROS 2 domain {domain}: {said}"
