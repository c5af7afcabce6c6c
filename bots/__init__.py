"""Thin edges between chat platforms and the Conversation workflow."""
