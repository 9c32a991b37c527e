"""What a deployment costs: measurements, prices, and the model between them."""
