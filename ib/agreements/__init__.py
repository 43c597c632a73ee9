"""What is agreed with partners: rate cards and terms of plan versions, as data and as files, and what they would cost."""
