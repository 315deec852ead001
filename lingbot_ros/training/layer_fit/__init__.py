"""What rigid layers can learn before the network does, in minutes: from colours and motions, without its images."""
