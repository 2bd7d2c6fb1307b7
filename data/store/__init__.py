"""What must survive a crash: accepted reports in their order, and what was said."""
