"""Does a model do what it is told, when it is told, and does it remember? On plain videos and actions."""
