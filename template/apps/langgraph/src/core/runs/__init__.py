"""The run engine: executes runs, keeps their event logs, survives the loss of a replica."""
