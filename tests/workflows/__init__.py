"""Tests; a package all the way down, so that no test module shadows ours."""
