"""The problem: a network, its loss as a function of one layer, and the names of its breakpoints."""
