"""What positions and stops mean on the road: drive times, who is alone, who should go."""
