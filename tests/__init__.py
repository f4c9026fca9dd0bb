"""Tests; `reference` holds the slow, obviously right counterparts."""
