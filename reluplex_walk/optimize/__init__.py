"""Searches for low minima, by many walks, by enumeration, and by gradient methods."""
