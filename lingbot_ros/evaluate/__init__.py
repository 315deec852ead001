"""What an imagined future is worth: image readers, metrics and reports, all on plain arrays."""
