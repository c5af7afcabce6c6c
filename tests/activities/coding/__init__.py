"""Tests of activities.coding."""
