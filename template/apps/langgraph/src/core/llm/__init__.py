"""Language models: the providers, the offline demo model, usage and cost."""
