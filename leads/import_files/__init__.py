"""Files of leads: reading and checking the lines, and writing the leads."""
