"""The lifecycle node `agent`: a vision-language model drives, and prompts change what happens in the imagined world."""
