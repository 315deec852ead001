"""A small policy that learned by trying what pushes do to the block, and makes the one that helps most.

It sees images alone. At work it has no simulator and no planner, only what its network says a push does.
"""
