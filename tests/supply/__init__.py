"""The supply chain: known vulnerabilities of what is locked."""
