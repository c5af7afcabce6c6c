"""What runs where: processes, engines, settings, telemetry, and the june command."""
