"""The agent's prompts, in Markdown; `agent.prompt` reads them."""
