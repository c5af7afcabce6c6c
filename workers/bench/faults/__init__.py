"""A fault campaign: many turns while processes are killed, the store is away, the disk is full, platforms refuse."""
