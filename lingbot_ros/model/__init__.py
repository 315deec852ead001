"""The causal video transformer, its cache, sampler, autoencoders and files. ROS-free."""
