"""The standard simulator interfaces and `/clock` over an imagined world."""
