"""The command `lingbot`. `main` finds the verb; each verb is a package with its arguments, work and output."""
