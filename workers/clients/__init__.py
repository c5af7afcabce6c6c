"""What command line, doctor and metrics ask of Temporal."""
