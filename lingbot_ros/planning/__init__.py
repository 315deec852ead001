"""Choosing actions by comparing imagined futures: parametrisations, costs, solvers, the receding horizon."""
