"""What is minimised beside the samples: penalties, constraints, several quantiles at once."""
