"""The cost of a deployment: measurements, prices, and the model that combines them."""
