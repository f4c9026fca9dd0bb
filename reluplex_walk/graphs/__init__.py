"""Vertices and edges as graphs: of walks, and of everything a walk could meet."""
