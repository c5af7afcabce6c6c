"""Tests of the rules that turn what is written into what is said."""
