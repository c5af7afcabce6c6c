"""The protocol of language models, shared by the answers of conversations and the coding agent."""
