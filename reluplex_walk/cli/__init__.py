"""The command line: commands, and what they leave behind."""
