"""The whole way: the embedded stack in processes of its own."""
