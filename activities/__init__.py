"""What touches the world: one module a verb, each an activity that a worker of the right kind runs."""
