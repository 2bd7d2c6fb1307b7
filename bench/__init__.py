"""Measurements: accuracy and speed, beside what a user would pick instead."""
