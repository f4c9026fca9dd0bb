"""Certificates: what is proved about a point, how it is proved, and how that is checked."""
