"""What a lent GPU is asked in one go: parts of a few minutes, each in a process and a file of its own."""
