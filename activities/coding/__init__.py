"""The coding agent's steps: prepare a workspace, think, act, verify, and what has changed."""
