"""Tests of workflows.coding."""
