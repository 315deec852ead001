"""Reality beside imagination: what a model imagines under recorded or live actions, against the camera's images."""
