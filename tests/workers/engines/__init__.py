"""Models and engines, the engines real."""
