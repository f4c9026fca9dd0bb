"""The walk: pivots from vertex to adjacent vertex, down to a local minimum."""
