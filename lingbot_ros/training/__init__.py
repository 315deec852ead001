"""Making the shipped small models: data, training, export. Nothing that serves a model imports this."""
