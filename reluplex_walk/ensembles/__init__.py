"""Many walks on one loss: made on an executor, streamed to Parquet, and what they say together."""
