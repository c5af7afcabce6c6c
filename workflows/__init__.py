"""What happens, and in which order: the workflows and the contracts they are started with."""
