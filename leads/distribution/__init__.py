"""What the distribution of leads counts: who takes leads, whose turn it is, who looks after a referrer."""
