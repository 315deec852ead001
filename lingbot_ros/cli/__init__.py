"""The command `lingbot`: a front that parses and reports, and one module per verb in `verbs/`."""
