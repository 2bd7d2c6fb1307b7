"""A simulated shift: units that patrol, stop cars, answer calls and suggestions. Nobody was there."""
