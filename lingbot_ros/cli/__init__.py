"""The command `lingbot`: `main` finds the verb; a verb is a package with its arguments, its work and its printing."""
