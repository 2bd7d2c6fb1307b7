"""A simulated shift: units patrol, stop cars, answer calls and suggestions; nobody was there."""
