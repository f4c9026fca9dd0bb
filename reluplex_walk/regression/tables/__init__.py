"""Tables in, names out: the border of regression."""
