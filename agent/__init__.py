"""The coding agent, pure: no Temporal, no network. Its first parts come with the benchmarks."""
