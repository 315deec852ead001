"""What a robot does -> what the model is conditioned on."""
