"""What `lingbot doctor` looks at. Each check uses the thing it reports on, and says what to do where it fails."""
