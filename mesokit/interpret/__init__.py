"""Reading the networks: filters, what neurons want to see, mean activations, explanations and their controls."""
