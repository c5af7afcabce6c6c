"""The coding agent, pure: what to ask the model, what its answer means, when to stop; no Temporal, no network."""
