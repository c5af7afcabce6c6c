"""The sandbox and the workspaces in it."""
