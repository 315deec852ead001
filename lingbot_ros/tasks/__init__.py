"""Tasks: what a world model is trained on and measured against. What knows one task lives in its folder or package."""
